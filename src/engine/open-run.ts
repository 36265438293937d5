import type { Mutation } from "../contracts/index.ts";
import { cacheKey } from "../cache/index.ts";
import type { RunContext } from "./context.ts";
import { checkChunkers } from "./check-chunkers.ts";
import { EmbeddingService } from "./embedding.ts";
import { WriteHorizon } from "./horizon.ts";
import { PendingFailures } from "./pending-failures.ts";
import type { PipelineSink, PipelineSource } from "./pipeline.ts";
import { pick } from "./pick.ts";
import type { Run } from "./run-parts.ts";
import { checkRecipes, recipeValues } from "./recipes.ts";
import { checkProbe, encodeProbe, openSpace, probeKey, probeTexts, type Space } from "./space.ts";
import { openTargets } from "./targets.ts";
import { Recipes } from "./versions.ts";

/** Opens and checks everything a run needs; refuses before anything is written to a sink. */
export async function openRun(context: RunContext): Promise<Run> {
  const { pipeline, session } = context;
  await renameSources(context);
  const embedding = new EmbeddingService(context);
  const space = await probedSpace(context);
  checkChunkers(pipeline, space.model);
  await checkRecipes(context, space.hash);
  embedding.use(space.model, space.hash);
  const targets = await openTargets(context, space, activeSinks(context));
  const { native } = space.model.dimensions;
  await session.commit([
    { kind: "value", key: probeKey(space.hash), value: encodeProbe(space.probe, native) },
    ...recipeValues(pipeline, activeSources(context)),
  ]);
  return {
    context,
    space,
    recipes: new Recipes(pipeline, space.hash),
    embedding,
    targets,
    horizon: new WriteHorizon(context),
    pending: new PendingFailures(context),
  };
}

/** The embedding space, checked against the probes that state and cache remember. */
async function probedSpace(context: RunContext): Promise<Space> {
  const { pipeline, session, signal } = context;
  const space = await openSpace(
    pipeline.embedder,
    (request) => context.retry("embedder", request, true),
    signal,
  );
  const { native } = space.model.dimensions;
  const stored = await session.value(probeKey(space.hash));
  if (typeof stored === "string") checkProbe(space, stored, native, "the state");
  await checkCache(context, space);
  return space;
}

/** Vectors of another model under this name must not be taken from the cache. */
async function checkCache(context: RunContext, space: Space): Promise<void> {
  const { cache } = context.pipeline;
  if (cache === undefined) return;
  const { native } = space.model.dimensions;
  const keys = probeTexts.map((text) => cacheKey(space.hash, "document", text));
  const known = await cache.get(keys, native);
  const vectors = keys.map((key) => known.get(key));
  if (vectors.every((vector) => vector !== undefined)) {
    checkProbe(space, encodeProbe(vectors, native), native, "the embedding cache");
    return;
  }
  await cache.put(
    new Map(keys.map((key, index) => [key, space.probe[index] ?? new Float32Array()])),
  );
}

export function activeSources(context: RunContext): readonly PipelineSource[] {
  return pick(context.pipeline.sources, context.options.sources, "source");
}

function activeSinks(context: RunContext): readonly PipelineSink[] {
  return pick(context.pipeline.sinks, context.options.sinks, "sink");
}

async function renameSources(context: RunContext): Promise<void> {
  const { session, pipeline } = context;
  const known = new Set((await session.sources()).map((row) => row.name));
  const renames: Mutation[] = [];
  for (const { name, previously } of pipeline.sources.values()) {
    if (previously === undefined || pipeline.sources.has(previously)) continue;
    if (known.has(name) || !known.has(previously)) continue;
    renames.push({ kind: "rename-source", from: previously, to: name });
  }
  if (renames.length > 0) await session.commit(renames);
}
