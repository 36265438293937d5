import type { Mutation, StateSession } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { RunContext } from "./context.ts";
import { digest } from "./identity.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
import { documentsHeld } from "./baseline.ts";

/** Refuses to embed a large share of the documents again only because parser, chunker or tokenizer changed. */
export async function checkRecipes(context: RunContext, space: string): Promise<void> {
  const { pipeline, options, session } = context;
  if (options.reprocess === true) return;
  const { affected, indexed } = await recipeChange(pipeline, session, space);
  const { maxFraction } = pipeline.policy.reprocess;
  if (affected === 0 || affected <= maxFraction * indexed) return;
  throw new Fault(
    "refused.reprocess",
    `Parser, chunker or tokenizer (their settings or their version) changed: ${affected} of ${indexed} documents would be ` +
      `chunked and embedded again; \`reprocess.max_fraction\` allows ${maxFraction}. ` +
      "Look at `sluice plan`, then run with `--reprocess`, or undo the change.",
  );
}

/**
 * How many documents a changed recipe would embed again, of how many that are in collections of this space. Another
 * space is embedded anew anyway.
 */
export async function recipeChange(
  pipeline: Pipeline,
  session: StateSession,
  space: string,
): Promise<{ readonly affected: number; readonly indexed: number }> {
  const infos = await session.targets();
  const targets = infos.filter((info) => info.space === space).map((info) => info.target);
  let affected = 0;
  let indexed = 0;
  for (const source of pipeline.sources.values()) {
    const documents = await documentsHeld(session, source.name, targets);
    indexed += documents;
    const approved = await session.value(recipeKey(source));
    if (approved !== undefined && approved !== sourceRecipe(pipeline, source)) {
      affected += documents;
    }
  }
  return { affected, indexed };
}

/** The recipes of this run, which the next one compares with. */
export function recipeValues(pipeline: Pipeline, sources: readonly PipelineSource[]): Mutation[] {
  return sources.map((source) => {
    return { kind: "value", key: recipeKey(source), value: sourceRecipe(pipeline, source) };
  });
}

function recipeKey(source: PipelineSource): string {
  return `recipe:${source.name}`;
}

function sourceRecipe(pipeline: Pipeline, source: PipelineSource): string {
  const parsers = source.parsers.map(({ type, recipe }) => `${type}=${recipe}`).toSorted();
  const { tokenizer } = pipeline.embedder;
  return digest("source-recipe", source.chunkerRecipe, tokenizer.id, ...parsers);
}
