import type { Json, StateSession } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { documentsHeld } from "./baseline.ts";
import type { RunContext } from "./context.ts";
import { digest } from "./identity.ts";
import { pick } from "./pick.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
import type { Recipes } from "./versions.ts";

/** Refuses to embed a large share of the documents again only because parser, chunker or tokenizer changed. */
export async function checkRecipes(context: RunContext, space: string): Promise<void> {
  const { pipeline, options, session } = context;
  if (options.reprocess === true) return;
  const change = await recipeChange(pipeline, session, space, options.sources);
  const refusal = recipeRefusal(change, pipeline);
  if (refusal !== undefined) throw refusal;
}

/** How many documents a changed recipe concerns. */
export interface RecipeChange {
  readonly affected: number;
  readonly indexed: number;
}

/** Why a run would not carry a change out unasked; undefined when it is small enough. */
export function recipeRefusal(
  { affected, indexed }: RecipeChange,
  { policy }: Pipeline,
): Fault | undefined {
  const { maxFraction } = policy.reprocess;
  if (affected === 0 || affected <= maxFraction * indexed) return undefined;
  return new Fault(
    "refused.reprocess",
    `Parser, chunker or tokenizer (their settings or their version) changed: ${affected} of ${indexed} documents would be ` +
      `chunked and, where the text differs, embedded again; \`reprocess.max_fraction\` allows ${maxFraction}. ` +
      "See the cost with `sluice plan`; go ahead with `sluice run --reprocess`, or undo the change.",
  );
}

/**
 * How many documents of the named sources a changed recipe would chunk again, of how many that are in collections of
 * this space. Another space is embedded anew anyway.
 */
export async function recipeChange(
  pipeline: Pipeline,
  session: StateSession,
  space: string,
  sources: readonly string[] | undefined,
): Promise<RecipeChange> {
  const infos = await session.targets();
  const targets = infos.filter((info) => info.space === space).map((info) => info.target);
  let affected = 0;
  let indexed = 0;
  for (const source of pick(pipeline.sources, sources, "source")) {
    const documents = await documentsHeld(session, source.name, targets);
    indexed += documents;
    const approved = await approvedRecipe(session, source);
    if (approved !== undefined && changes(approved, pipeline, source)) affected += documents;
  }
  return { affected, indexed };
}

/** What a source's documents were made with, when it was last allowed. */
interface ApprovedRecipe {
  readonly chunker: string;
  /** The recipes of the parsers that documents needed, by type; one that none needed may change unasked. */
  readonly parsers: Readonly<Record<string, string>>;
}

/** Remembers the recipes of this run's sources, which the next one compares with. */
export async function approveRecipes(context: RunContext): Promise<void> {
  const { pipeline, session, options } = context;
  for (const source of pick(pipeline.sources, options.sources, "source")) {
    const approved = await approvedRecipe(session, source);
    const used = source.parsers.filter(({ type }) => Object.hasOwn(approved?.parsers ?? {}, type));
    const parsers = Object.fromEntries(used.map(({ type, recipe }) => [type, recipe]));
    await remember(session, source, { chunker: chunkerOf(pipeline, source), parsers }, approved);
  }
}

/** Remembers the parsers that documents of a source needed in this run, besides those of earlier ones. */
export async function rememberParsers(
  context: RunContext,
  source: PipelineSource,
  recipes: Recipes,
): Promise<void> {
  const approved = await approvedRecipe(context.session, source);
  if (approved === undefined) return;
  const used = recipes.parsersOf(source).map(({ type, recipe }) => [type, recipe] as const);
  const parsers = { ...approved.parsers, ...Object.fromEntries(used) };
  await remember(context.session, source, { ...approved, parsers }, approved);
}

async function remember(
  session: StateSession,
  source: PipelineSource,
  recipe: ApprovedRecipe,
  before: ApprovedRecipe | undefined,
): Promise<void> {
  const parsers = Object.fromEntries(Object.entries(recipe.parsers).toSorted());
  const value = { chunker: recipe.chunker, parsers };
  if (JSON.stringify(value) === JSON.stringify(before)) return;
  await session.commit([{ kind: "value", key: recipeKey(source), value }]);
}

function changes(approved: ApprovedRecipe, pipeline: Pipeline, source: PipelineSource): boolean {
  const now = new Map(source.parsers.map(({ type, recipe }) => [type, recipe]));
  const parserChanged = Object.entries(approved.parsers).some(
    ([type, recipe]) => now.get(type) !== recipe,
  );
  return parserChanged || approved.chunker !== chunkerOf(pipeline, source);
}

function chunkerOf(pipeline: Pipeline, source: PipelineSource): string {
  return digest("chunker", source.chunkerRecipe, pipeline.embedder.tokenizer.id);
}

async function approvedRecipe(
  session: StateSession,
  source: PipelineSource,
): Promise<ApprovedRecipe | undefined> {
  const value = await session.value(recipeKey(source));
  return isRecipe(value) ? value : undefined;
}

function isRecipe(value: Json | undefined): value is Json & ApprovedRecipe {
  return typeof value === "object" && value !== null && "chunker" in value && "parsers" in value;
}

function recipeKey(source: PipelineSource): string {
  return `recipe:${source.name}`;
}
