import { randomUUID } from "node:crypto";
import type {
  Collection,
  CollectionDescription,
  CollectionMarker,
  EmbeddingModel,
  FaultLike,
  TargetInfo,
} from "../contracts/index.ts";
import {
  decideDimension,
  type DimensionAgreement,
  type DimensionDecision,
} from "../dimensions/index.ts";
import { Fault, isFault } from "../faults/index.ts";
import { raceAbort } from "../flow/index.ts";
import type { RunContext } from "./context.ts";
import { checkMark, newMarker, stateRefusal, withMark } from "./marks.ts";
import type { Pipeline, PipelineSink } from "./pipeline.ts";
import { checkProbe, type Space } from "./space.ts";
import { TargetWriter } from "./target-writer.ts";

/** A sink's collection, open, checked, and ready to be written. */
export class Target {
  /** The collection's incarnation: what the state keys its rows by. */
  readonly id: string;
  readonly name: string;
  readonly shape: string;
  readonly dimension: number;
  readonly collection: Collection;
  readonly writer: TargetWriter;
  /** Set when the sink is given up for this run; its documents are owed. */
  fault: FaultLike | undefined;
  readonly #context: RunContext;
  readonly #sink: PipelineSink;
  #marker: CollectionMarker;
  #info: TargetInfo;
  #marked: Promise<void> | undefined;

  constructor(options: {
    readonly context: RunContext;
    readonly sink: PipelineSink;
    readonly collection: Collection;
    readonly marker: CollectionMarker;
    readonly info: TargetInfo;
  }) {
    this.#context = options.context;
    this.#sink = options.sink;
    this.#marker = options.marker;
    this.#info = options.info;
    this.id = options.marker.incarnation;
    this.name = options.sink.name;
    this.shape = options.sink.sink.shape;
    this.collection = options.collection;
    this.dimension = options.collection.dimension;
    this.writer = new TargetWriter(options.context, this);
  }

  /** Gives the sink up for this run. */
  fail(fault: FaultLike): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.#context.lose(`sinks.${this.name}`, fault);
  }

  /**
   * Raises the sequence number in state and marker, once per run and before the first write, so that a state or a
   * collection restored from a backup is noticed.
   */
  mark(): Promise<void> {
    this.#marked ??= this.#writeMark();
    return this.#marked;
  }

  async #writeMark(): Promise<void> {
    const { session, clock, signal, startedMonotonic } = this.#context;
    const horizon = this.collection.limits.writeHorizonMs;
    if (this.#info.attemptedSeq !== this.#info.markerSeq) {
      // An earlier attempt may still land and set the marker back.
      const wait = startedMonotonic + horizon - clock.monotonic();
      if (wait > 0) await clock.sleep(wait, signal);
    }
    const runSeq = this.#info.attemptedSeq + 1;
    this.#info = { ...this.#info, attemptedSeq: runSeq };
    await session.commit([{ kind: "target", info: this.#info }]);
    const pipeline = this.#context.pipeline.name;
    const { previously } = this.#context.pipeline;
    this.#marker = withMark(await this.#liveMarker(), {
      pipeline,
      previously,
      stateId: session.stateId,
      runSeq,
    });
    await this.#context.retry(
      `sinks.${this.name}`,
      () => this.collection.setMarker(this.#marker, signal),
      true,
    );
    this.#info = { ...this.#info, markerSeq: runSeq };
    await session.commit([{ kind: "target", info: this.#info }], { durable: false });
  }

  /** The marker as it is now: another pipeline may have set its mark since this run began. */
  async #liveMarker(): Promise<CollectionMarker> {
    const { sink } = this.#sink;
    const describe = (): Promise<CollectionDescription | undefined> =>
      sink.describe(this.#context.signal);
    const live = await this.#context.retry(`sinks.${this.name}`, describe, true);
    if (live?.marker?.incarnation === this.id) return live.marker;
    const isNew = live !== undefined && live.marker === undefined;
    if (isNew && this.#info.markerSeq === 0) return this.#marker;
    throw new Fault(
      "sink.missing",
      `The collection ${sink.address} was dropped or replaced since this run began. Run again.`,
    );
  }

  get info(): TargetInfo {
    return this.#info;
  }

  get sink(): PipelineSink {
    return this.#sink;
  }
}

/** What one sink's live collection means for a run; nothing is written to find out. */
export interface SinkSurvey {
  readonly sink: PipelineSink;
  readonly decision: DimensionDecision;
  readonly live: CollectionDescription | undefined;
  readonly marker: CollectionMarker | undefined;
}

/** Asks a sink for live truth and decides, without writing anything. */
export async function surveySink(
  pipeline: Pipeline,
  sink: PipelineSink,
  space: { readonly hash: string; readonly model: EmbeddingModel },
  signal: AbortSignal,
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
  });
  return { sink, decision, live, marker: live?.marker };
}

/**
 * Opens the collections of the active sinks, or refuses before anything is written. A sink that is down is given up
 * for this run and the others go on; rejects when all are down.
 */
export async function openTargets(
  context: RunContext,
  space: Space,
  sinks: readonly PipelineSink[],
): Promise<Target[]> {
  const { pipeline, signal } = context;
  const down: { readonly component: string; readonly fault: FaultLike }[] = [];
  async function unlessDown<T>(sink: PipelineSink, step: () => Promise<T>): Promise<T[]> {
    try {
      return [await step()];
    } catch (error) {
      if (!isFault(error) || !error.code.startsWith("sink.") || signal.aborted) throw error;
      down.push({ component: `sinks.${sink.name}`, fault: error });
      return [];
    }
  }
  const surveys: SinkSurvey[] = [];
  for (const sink of sinks) {
    const survey = (): Promise<SinkSurvey> => surveySink(pipeline, sink, space, signal);
    const retried = (): Promise<SinkSurvey> => context.retry(`sinks.${sink.name}`, survey, true);
    surveys.push(...(await unlessDown(sink, retried)));
  }
  for (const { decision } of surveys) if (decision.kind === "refuse") throw refusal(decision);
  refuseShared(sinks, surveys);
  const known = new Map((await context.session.targets()).map((info) => [info.target, info]));
  // All are checked before the first is created or marked.
  const checked: SinkSurvey[] = [];
  for (const survey of surveys) {
    const check = (): Promise<SinkSurvey> => checkSurvey(context, survey, space, known);
    checked.push(...(await unlessDown(survey.sink, check)));
  }
  const targets: Target[] = [];
  for (const survey of checked) {
    const open = (): Promise<Target> => openTarget(context, survey, space, known);
    targets.push(...(await unlessDown(survey.sink, open)));
  }
  const [first] = down;
  if (targets.length === 0 && first !== undefined) throw first.fault;
  for (const { component, fault } of down) context.lose(component, fault);
  return targets;
}

function refusal(decision: DimensionDecision & { readonly kind: "refuse" }): Fault {
  return new Fault(decision.code, `${decision.reason} ${decision.remedy}`);
}

function refuseShared(sinks: readonly PipelineSink[], surveys: readonly SinkSurvey[]): void {
  const seen = new Map<string, string>();
  for (const sink of sinks) {
    const marker = surveys.find((survey) => survey.sink === sink)?.marker;
    for (const place of [sink.sink.address, marker?.incarnation ?? sink.sink.address]) {
      const other = seen.get(place);
      if (other !== undefined && other !== sink.name) {
        throw new Fault(
          "refused.shared",
          `The sinks \`${other}\` and \`${sink.name}\` both name the collection ${sink.sink.address}. ` +
            "Give each sink a collection of its own, or remove one.",
        );
      }
      seen.set(place, sink.name);
    }
  }
}

async function checkSurvey(
  context: RunContext,
  survey: SinkSurvey,
  space: Space,
  known: ReadonlyMap<string, TargetInfo>,
): Promise<SinkSurvey> {
  const { marker, sink } = survey;
  if (marker === undefined) return survey;
  const { pipeline, session } = context;
  checkProbe(space, marker.probe, marker.dimension, `the collection ${sink.sink.address}`);
  const mark = checkMark({
    marker,
    pipeline: pipeline.name,
    previously: pipeline.previously,
    stateId: session.stateId,
    info: known.get(marker.incarnation),
  });
  if (mark.kind === "known") return survey;
  if (mark.kind === "refuse") throw mismatch(sink, mark.reason);
  const collection = await sink.sink.open(context.signal);
  const own = await ownRecords(pipeline, collection, context.signal);
  if (own > 0) throw mismatch(sink, unknownRecords(own));
  return survey;
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
  const { reason, remedy } = stateRefusal(sink, why);
  return new Fault("refused.state", `${reason} Nothing was written. ${remedy}`);
}

async function openTarget(
  context: RunContext,
  survey: SinkSurvey,
  space: Space,
  known: ReadonlyMap<string, TargetInfo>,
): Promise<Target> {
  const { sink, decision } = survey;
  const { signal } = context;
  if (decision.kind === "refuse") throw refusal(decision);
  const created = decision.kind === "create";
  const collection = created
    ? await create(context, survey, decision)
    : await context.retry(`sinks.${sink.name}`, () => sink.sink.open(signal), true);
  if (collection === undefined) {
    const again = await surveySink(context.pipeline, sink, space, signal);
    return openTarget(context, await checkSurvey(context, again, space, known), space, known);
  }
  if (collection.dimension !== decision.dimension) {
    throw new Fault(
      "refused.dimension",
      `The collection ${sink.sink.address} has dimension ${collection.dimension}, but ` +
        `${decision.dimension} was decided a moment ago: it was changed meanwhile. Run again.`,
    );
  }
  const marker =
    survey.marker ?? newMarker(space, decision.dimension, unmarked(known, sink) ?? randomUUID());
  const info: TargetInfo = {
    ...(known.get(marker.incarnation) ?? { markerSeq: 0, attemptedSeq: 0 }),
    target: marker.incarnation,
    sink: sink.name,
    address: sink.sink.address,
    dimension: decision.dimension,
    space: space.hash,
  };
  const target = new Target({ context, sink, collection, marker, info });
  if (info.attemptedSeq === 0) await target.mark();
  const { address } = sink.sink;
  const { dimension } = decision;
  context.emit({ kind: "target-opened", sink: sink.name, address, dimension, created });
  return target;
}

/** Creates the collection; undefined when somebody else did meanwhile. */
async function create(
  context: RunContext,
  { sink: { sink } }: SinkSurvey,
  decision: DimensionAgreement,
): Promise<Collection | undefined> {
  const { signal, pipeline } = context;
  try {
    const creating = sink.create({ ...decision, fields: pipeline.fields }, signal);
    return await raceAbort(creating, signal);
  } catch (error) {
    if (signal.aborted || !isFault(error)) throw error;
    const live = await sink.describe(signal).catch(() => undefined);
    if (live === undefined) throw error;
    return undefined;
  }
}

/** The incarnation of an earlier attempt at this marker, which may still land: both must have one name. */
function unmarked(known: ReadonlyMap<string, TargetInfo>, sink: PipelineSink): string | undefined {
  for (const info of known.values()) {
    if (info.address === sink.sink.address && info.markerSeq === 0) return info.target;
  }
  return undefined;
}
