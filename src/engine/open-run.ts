import type { Mutation, StateSession } from "../contracts/index.ts";
import { cacheKey } from "../cache/index.ts";
import { Fault } from "../faults/index.ts";
import type { RunContext } from "./context.ts";
import { checkVectors, EmbeddingService } from "./embedding.ts";
import { WriteHorizon } from "./horizon.ts";
import { digest } from "./identity.ts";
import { PendingFailures } from "./pending-failures.ts";
import type { Pipeline, PipelineSink, PipelineSource } from "./pipeline.ts";
import type { Run } from "./run-parts.ts";
import { checkProbe, encodeProbe, openSpace, probeTexts, type Space } from "./space.ts";
import { openTargets } from "./targets.ts";

/** Opens and checks everything a run needs; refuses before anything is written to a sink. */
export async function openRun(context: RunContext): Promise<Run> {
  const { session } = context;
  await renameSources(context);
  await checkRecipes(context);
  const embedding = new EmbeddingService(context);
  const space = await probedSpace(context);
  embedding.use(space.model, space.hash);
  const targets = await openTargets(context, space, activeSinks(context));
  const { native } = space.model.dimensions;
  await session.commit([
    { kind: "value", key: probeKey(space.hash), value: encodeProbe(space.probe, native) },
    ...recipeValues(context),
  ]);
  return {
    context,
    space,
    embedding,
    targets,
    horizon: new WriteHorizon(context),
    pending: new PendingFailures(context),
  };
}

/** The embedding space, checked against the probes that state and cache remember. */
async function probedSpace(context: RunContext): Promise<Space> {
  const { pipeline, session, signal } = context;
  const { embedder } = pipeline;
  const embed = async (texts: readonly string[]): Promise<readonly Float32Array[]> => {
    const call = (): ReturnType<typeof embedder.embed> => embedder.embed(texts, "document", signal);
    return (await context.retry("embedder", call, true)).vectors;
  };
  const space = await openSpace(embedder, embed, signal);
  checkVectors(space.probe, probeTexts.length, space.model);
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

export function probeKey(space: string): string {
  return `probe:${space}`;
}

export function activeSources(context: RunContext): readonly PipelineSource[] {
  return select(context.pipeline.sources, context.options.sources, "source");
}

function activeSinks(context: RunContext): readonly PipelineSink[] {
  return select(context.pipeline.sinks, context.options.sinks, "sink");
}

function select<T>(
  all: ReadonlyMap<string, T>,
  names: readonly string[] | undefined,
  what: string,
): T[] {
  if (names === undefined) return [...all.values()];
  return names.map((name) => {
    const found = all.get(name);
    if (found !== undefined) return found;
    const known = [...all.keys()].map((key) => `\`${key}\``).join(", ");
    throw new Fault("config.invalid", `There is no ${what} \`${name}\`; the file has ${known}.`);
  });
}

async function renameSources(context: RunContext): Promise<void> {
  const { session, pipeline } = context;
  const known = new Set((await session.sources()).map((row) => row.name));
  const renames: Mutation[] = [];
  for (const { name, previously } of pipeline.sources.values()) {
    if (previously === undefined || known.has(name) || !known.has(previously)) continue;
    renames.push({ kind: "rename-source", from: previously, to: name });
  }
  if (renames.length > 0) await session.commit(renames);
}

/** Refuses to embed a large share of the documents again only because parser or chunker changed. */
async function checkRecipes(context: RunContext): Promise<void> {
  const { pipeline, options, session } = context;
  if (options.reprocess === true) return;
  const { affected, indexed } = await recipeChange(pipeline, session);
  const { maxFraction } = pipeline.policy.reprocess;
  if (affected === 0 || affected <= maxFraction * indexed) return;
  throw new Fault(
    "refused.reprocess",
    `Parser or chunker settings (or their version) changed: ${affected} of ${indexed} documents would be ` +
      `chunked and embedded again; \`reprocess.max_fraction\` allows ${maxFraction}. ` +
      "Look at `sluice plan`, then run with `--reprocess`, or undo the change.",
  );
}

/** How many documents a changed recipe would embed again, of how many that are in the index. */
export async function recipeChange(
  pipeline: Pipeline,
  session: StateSession,
): Promise<{ readonly affected: number; readonly indexed: number }> {
  let affected = 0;
  let indexed = 0;
  for (const source of pipeline.sources.values()) {
    const documents = await session.count({ source: source.name, indexed: true });
    indexed += documents;
    const approved = await session.value(recipeKey(source));
    if (approved !== undefined && approved !== sourceRecipe(source)) affected += documents;
  }
  return { affected, indexed };
}

function recipeValues(context: RunContext): Mutation[] {
  return activeSources(context).map((source) => {
    return { kind: "value", key: recipeKey(source), value: sourceRecipe(source) };
  });
}

function recipeKey(source: PipelineSource): string {
  return `recipe:${source.name}`;
}

function sourceRecipe(source: PipelineSource): string {
  const parsers = source.parsers.map(({ type, recipe }) => `${type}=${recipe}`).toSorted();
  return digest("source-recipe", source.chunkerRecipe, ...parsers);
}
