import type { Clock, FaultLike, StateSession } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { systemClock } from "../flow/index.ts";
import { checkChunkers } from "./check-chunkers.ts";
import { estimate, type Estimate } from "./estimate.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { openStateToRead } from "./open-state.ts";
import { pick } from "./pick.ts";
import { pipelineFileRefusal } from "./pipeline-file.ts";
import type { Pipeline } from "./pipeline.ts";
import { DocumentPlanner, type PlannedDocuments } from "./plan-documents.ts";
import type { ChunkFigures } from "./plan-chunks.ts";
import { plannedSink, type PlannedSink } from "./plan-sinks.ts";
import { recipeChange, recipeRefusal } from "./recipes.ts";
import { asRenamed, sourceRenames } from "./renames.ts";
import { checkCache, openSpace, type Space } from "./space.ts";
import type { WithheldSummary } from "./summary.ts";
import { refusalFault, type SinkFinding, surveySinks } from "./survey.ts";
import { withheldFault } from "./withheld-fault.ts";

export interface PlanOptions {
  readonly full?: boolean;
  readonly sources?: readonly string[];
  readonly sinks?: readonly string[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** What a run would do, as far as it can be known without doing it. */
export interface Plan extends Estimate, ChunkFigures {
  readonly pipeline: string;
  readonly sinks: readonly PlannedSink[];
  readonly documents: Readonly<PlannedDocuments>;
  readonly withheld: readonly WithheldSummary[];
  /** Sinks and sources that do not answer; a run goes on without them. */
  readonly unreachable: readonly {
    readonly component: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** Documents that a changed recipe would embed again, when that is refused without `--reprocess`. */
  readonly reprocess?: { readonly affected: number; readonly indexed: number };
  /** Why a run would not succeed, as its summary would say; failures of single documents aside. */
  readonly error?: { readonly code: string; readonly message: string };
  /** A run would change something, or not succeed. */
  readonly to_do: boolean;
}

export interface PlanResult {
  readonly plan: Plan;
  /** That of `error`, otherwise 0. */
  readonly exitCode: ExitCode;
}

/** Asks every component for live truth and tells what a run would do. Writes nothing, takes no lease. */
export async function plan(pipeline: Pipeline, options: PlanOptions = {}): Promise<PlanResult> {
  const signal = options.signal ?? new AbortController().signal;
  const stored = await openStateToRead(pipeline, signal);
  try {
    const renames = stored === undefined ? [] : await sourceRenames(pipeline, stored);
    const session = stored && asRenamed(stored, renames);
    return await planWith(pipeline, options, session, signal);
  } finally {
    await stored?.close();
  }
}

async function planWith(
  pipeline: Pipeline,
  options: PlanOptions,
  session: StateSession | undefined,
  signal: AbortSignal,
): Promise<PlanResult> {
  const space = await openSpace(pipeline.embedder, (request) => request(), signal);
  await checkChunkers(pipeline, space.model);
  const sinks = pick(pipeline.sinks, options.sinks, "sink");
  const findings = await surveySinks({ pipeline, sinks, space, session, call: once, signal });
  const documents = await planDocuments(pipeline, options, session, space, findings, signal);
  const change = session && (await recipeChange(pipeline, session, space.hash, options.sources));
  const recipe = change && recipeRefusal(change, pipeline);
  // In the order in which a run finds them.
  const [refused] = [
    session && (await pipelineFileRefusal(pipeline, session)),
    await cacheRefusal(pipeline, space),
    recipe,
    ...findings.flatMap((found) => (found.kind === "refused" ? refusalFault(found.refusal) : [])),
  ].filter((refusal) => refusal !== undefined);
  const lost = [...findings.flatMap(downSink), ...documents.lost];
  const { counts, withheld } = documents;
  const error = refused ?? lost[0]?.fault ?? withheldFault(withheld);
  const rows = findings.map((found) => plannedSink(found, space));
  const creates = rows.some(({ action }) => action === "create");
  const figures = await documents.chunks.finish();
  const result: Plan = {
    pipeline: pipeline.name,
    sinks: rows,
    documents: counts,
    ...figures,
    ...(await estimate(figures.tokens, space.model, session)),
    withheld,
    unreachable: lost.map(({ component, fault }) => ({ component, ...told(fault) })),
    ...(recipe === undefined || change === undefined ? {} : { reprocess: change }),
    ...(error === undefined ? {} : { error: told(error) }),
    to_do: creates || error !== undefined || counts.add + counts.update + counts.delete > 0,
  };
  return { plan: result, exitCode: error === undefined ? exitCodes.done : exitCodeOf(error) };
}

/** A plan is not worth the waits of a run. */
function once<T>(_: unknown, request: () => Promise<T>): Promise<T> {
  return request();
}

/** Decides on all documents, unless no sink answers: then a run would not even list them. */
async function planDocuments(
  pipeline: Pipeline,
  options: PlanOptions,
  session: StateSession | undefined,
  space: Space,
  findings: readonly SinkFinding[],
  signal: AbortSignal,
): Promise<DocumentPlanner> {
  const sources = pick(pipeline.sources, options.sources, "source");
  const { full = false, clock = systemClock } = options;
  const surveys = findings.flatMap((found) => (found.kind === "down" ? [] : [found.survey]));
  const planner = new DocumentPlanner({ pipeline, session, surveys, space, full, clock, signal });
  if (surveys.length === 0) return planner;
  for (const source of sources) await planner.source(source);
  if (options.sources === undefined) await planner.removedSources();
  return planner;
}

function told({ code, message }: FaultLike): { readonly code: string; readonly message: string } {
  return { code, message };
}

/** Why the cached vectors must not be taken. */
async function cacheRefusal(pipeline: Pipeline, space: Space): Promise<FaultLike | undefined> {
  try {
    await checkCache(pipeline, space);
    return undefined;
  } catch (error) {
    if (isFault(error) && error.code === "refused.probe") return error;
    throw error;
  }
}

function downSink(found: SinkFinding): { readonly component: string; readonly fault: FaultLike }[] {
  if (found.kind !== "down") return [];
  return [{ component: `sinks.${found.sink.name}`, fault: found.fault }];
}
