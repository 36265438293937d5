import type { Component } from "../contracts/index.ts";
import type { RunContext } from "./context.ts";
import { checkChunkers } from "./check-chunkers.ts";
import { EmbeddingService } from "./embedding.ts";
import { WriteHorizon } from "./horizon.ts";
import type { PipelineSink, PipelineSource } from "./pipeline.ts";
import { pick } from "./pick.ts";
import type { Run } from "./run-parts.ts";
import { approveRecipes, checkRecipes } from "./recipes.ts";
import { sourceRenames } from "./renames.ts";
import { checkCache, keepInCache, openSpace, type Space } from "./space.ts";
import { openTargets } from "./targets.ts";
import { Recipes } from "./versions.ts";

/** Opens and checks everything a run needs; refuses before anything is written to a sink. */
export async function openRun(context: RunContext): Promise<Run> {
  const { pipeline } = context;
  await renameSources(context);
  const embedding = new EmbeddingService(context);
  const space = await probedSpace(context);
  await checkChunkers(pipeline, space.model);
  await checkRecipes(context, space.hash);
  embedding.use(space.model, space.hash);
  const targets = await openTargets(context, space, activeSinks(context));
  await keepInCache(pipeline, space);
  await approveRecipes(context);
  tellNotes(context);
  embedding.tellNews();
  return {
    context,
    space,
    recipes: new Recipes(pipeline, space.hash),
    embedding,
    targets,
    horizon: new WriteHorizon(context),
  };
}

/** The embedding space, checked against the probe that the cache keeps. */
async function probedSpace(context: RunContext): Promise<Space> {
  const { pipeline, signal } = context;
  const space = await openSpace(
    pipeline.embedder,
    (request) => context.retry("embedder", request, true),
    signal,
  );
  await checkCache(pipeline, space);
  return space;
}

export function activeSources(context: RunContext): readonly PipelineSource[] {
  return pick(context.pipeline.sources, context.options.sources, "source");
}

function activeSinks(context: RunContext): readonly PipelineSink[] {
  return pick(context.pipeline.sinks, context.options.sinks, "sink");
}

function tellNotes(context: RunContext): void {
  const { embedder } = context.pipeline;
  const components: readonly (readonly [string, Component])[] = [
    ["embedder", embedder],
    ...activeSources(context).map(({ name, source }) => [`sources.${name}`, source] as const),
    ...activeSinks(context).map(({ name, sink }) => [`sinks.${name}`, sink] as const),
  ];
  for (const [name, component] of components) {
    for (const note of component.notes?.() ?? []) {
      context.emit({ kind: "component-noted", component: name, note });
    }
  }
}

async function renameSources({ session, pipeline }: RunContext): Promise<void> {
  const renames = await sourceRenames(pipeline, session);
  if (renames.length > 0) await session.commit(renames);
}
