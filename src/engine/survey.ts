import type {
  Collection,
  CollectionDescription,
  CollectionMarker,
  EmbeddingModel,
  FaultLike,
  StateSession,
} from "../contracts/index.ts";
import {
  decideDimension,
  type DimensionDecision,
  type DimensionRefusal,
} from "../dimensions/index.ts";
import { Fault, isFault } from "../faults/index.ts";
import { checkMark, stateRefusal } from "./marks.ts";
import type { Pipeline, PipelineSink } from "./pipeline.ts";
import { checkProbe, type Space } from "./space.ts";

/** What one sink's live collection means for a run; nothing is written to find out. */
export interface SinkSurvey {
  readonly sink: PipelineSink;
  readonly decision: DimensionDecision;
  readonly live: CollectionDescription | undefined;
  readonly marker: CollectionMarker | undefined;
}

/** Why a sink may not be written. */
export interface SinkRefusal {
  readonly code: DimensionRefusal["code"];
  readonly reason: string;
  /** Left out when the reason says it. */
  readonly remedy?: string;
}

/** What run and plan find out about a sink before anything is written. */
export type SinkFinding =
  | { readonly kind: "usable"; readonly survey: SinkSurvey }
  | { readonly kind: "refused"; readonly survey: SinkSurvey; readonly refusal: SinkRefusal }
  | { readonly kind: "down"; readonly sink: PipelineSink; readonly fault: FaultLike };

export interface SurveyOptions {
  readonly pipeline: Pipeline;
  readonly sinks: readonly PipelineSink[];
  readonly space: Space;
  /** Undefined when the pipeline has no state yet. */
  readonly session: StateSession | undefined;
  /** Calls a sink; a run retries here. */
  readonly call: <T>(sink: PipelineSink, request: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** Asks a sink for live truth and decides, without writing anything. Only `adopt` takes records that are nobody's. */
export async function surveySink(
  pipeline: Pipeline,
  sink: PipelineSink,
  space: { readonly hash: string; readonly model: EmbeddingModel },
  signal: AbortSignal,
  { adopting = false }: { readonly adopting?: boolean } = {},
): Promise<SinkSurvey> {
  const live = await sink.sink.describe(signal);
  const decision = decideDimension({
    sink: sink.name,
    address: sink.sink.address,
    model: space.model,
    configured: sink.dimension,
    live,
    spaceHash: space.hash,
    createMetric: sink.sink.createMetric,
    pipeline: pipeline.name,
    adopting,
  });
  return { sink, decision, live, marker: live?.marker };
}

/** Asks all sinks, and finds out which may be written, which not and why, and which do not answer. */
export async function surveySinks(options: SurveyOptions): Promise<readonly SinkFinding[]> {
  const { sinks, pipeline, space, call, signal } = options;
  const findings: SinkFinding[] = [];
  const shared = new SharedCollections();
  for (const sink of sinks) {
    const other = shared.take(sink.sink.address, sink);
    const find = async (): Promise<SinkFinding> => {
      const survey = await call(sink, () => surveySink(pipeline, sink, space, signal));
      const refusal = shared.refusal(other, survey) ?? (await refusalOf(survey, options));
      return refusal === undefined
        ? { kind: "usable", survey }
        : { kind: "refused", survey, refusal };
    };
    findings.push(await unlessDown(sink, find, signal));
  }
  return findings;
}

/** What was found; or, of a sink that does not answer, its fault. */
async function unlessDown(
  sink: PipelineSink,
  find: () => Promise<SinkFinding>,
  signal: AbortSignal,
): Promise<SinkFinding> {
  try {
    return await find();
  } catch (error) {
    if (!isSinkFault(error) || signal.aborted) throw error;
    return { kind: "down", sink, fault: error };
  }
}

/** A fault that takes one sink out of a run, which goes on with the others. */
export function isSinkFault(error: unknown): error is FaultLike {
  return isFault(error) && error.code.startsWith("sink.");
}

export function refusalFault({ code, reason, remedy }: SinkRefusal): Fault {
  return new Fault(
    code,
    remedy === undefined ? reason : `${reason} Nothing was written. ${remedy}`,
  );
}

/** Refuses the second of two sinks on one collection, by their addresses (also of a sink that is down) or its marker. */
class SharedCollections {
  readonly #taken = new Map<string, string>();

  /** Takes a place for a sink; tells which sink has it already. */
  take(place: string, { name }: PipelineSink): string | undefined {
    const other = this.#taken.get(place);
    if (other === undefined) this.#taken.set(place, name);
    return other === name ? undefined : other;
  }

  refusal(other: string | undefined, { sink, marker }: SinkSurvey): SinkRefusal | undefined {
    const first = other ?? (marker === undefined ? undefined : this.take(marker.incarnation, sink));
    if (first === undefined) return undefined;
    return {
      code: "refused.shared",
      reason: `The sinks \`${first}\` and \`${sink.name}\` both name the collection ${sink.sink.address}.`,
      remedy: "Give each sink a collection of its own, or remove one.",
    };
  }
}

async function refusalOf(
  survey: SinkSurvey,
  options: SurveyOptions,
): Promise<SinkRefusal | undefined> {
  const { decision, marker } = survey;
  if (decision.kind === "refuse") return decision;
  if (marker === undefined) return undefined;
  return (
    probeRefusal(survey.sink, marker, options.space) ?? markRefusal(survey.sink, marker, options)
  );
}

function probeRefusal(
  { sink }: PipelineSink,
  { probe, dimension }: CollectionMarker,
  space: Space,
): SinkRefusal | undefined {
  try {
    checkProbe(space, probe, dimension, `the collection ${sink.address}`);
    return undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return { code: "refused.probe", reason: error.message };
  }
}

async function markRefusal(
  sink: PipelineSink,
  marker: CollectionMarker,
  { pipeline, session, call, signal }: SurveyOptions,
): Promise<SinkRefusal | undefined> {
  const infos = (await session?.targets()) ?? [];
  const mark = checkMark({
    marker,
    pipeline: pipeline.name,
    previously: pipeline.previously,
    stateId: session?.stateId ?? "",
    info: infos.find((info) => info.target === marker.incarnation),
  });
  if (mark.kind === "known") return undefined;
  if (mark.kind === "refuse") return mismatchRefusal(sink, mark.reason);
  const own = await call(sink, async () => {
    return ownRecords(pipeline, await sink.sink.open(signal), signal);
  });
  return own > 0 ? mismatchRefusal(sink, unknownRecords(own)) : undefined;
}

/** How many records of this pipeline a collection holds. */
export function ownRecords(
  pipeline: Pipeline,
  collection: Collection,
  signal: AbortSignal,
): Promise<number> {
  return collection.count([{ field: "pipeline", operator: "=", value: pipeline.name }], signal);
}

export function unknownRecords(count: number): string {
  return `it holds ${count} records of this pipeline that the state does not know`;
}

/** The fault of a collection and a state that do not belong together. */
export function mismatch(sink: PipelineSink, why: string): Fault {
  return refusalFault(mismatchRefusal(sink, why));
}

function mismatchRefusal(sink: PipelineSink, why: string): SinkRefusal {
  return { code: "refused.state", ...stateRefusal(sink, why) };
}
