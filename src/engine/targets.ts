import { randomUUID } from "node:crypto";
import type {
  Collection,
  CollectionDescription,
  CollectionMarker,
  FaultLike,
  TargetInfo,
} from "../contracts/index.ts";
import type { DimensionAgreement } from "../dimensions/index.ts";
import { assert, Fault, isFault } from "../faults/index.ts";
import { raceAbort } from "../flow/index.ts";
import type { RunContext } from "./context.ts";
import { newMarker, withMark } from "./marks.ts";
import type { PipelineSink } from "./pipeline.ts";
import type { Space } from "./space.ts";
import {
  isSinkFault,
  refusalFault,
  type SinkFinding,
  type SinkSurvey,
  surveySinks,
} from "./survey.ts";
import { TargetWriter } from "./target-writer.ts";
import { Visibility } from "./visibility.ts";

/** A sink's collection, open, checked, and ready to be written. */
export class Target {
  /** The collection's incarnation: what the state keys its rows by. */
  readonly id: string;
  readonly name: string;
  readonly shape: string;
  readonly dimension: number;
  readonly collection: Collection;
  readonly writer: TargetWriter;
  readonly visibility: Visibility;
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
    readonly visibility: Visibility;
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
    this.visibility = options.visibility;
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

  /**
   * At the end of a run: housekeeping, and a wait until reads see what was written. What takes longer than it may is
   * durable all the same, and the state remembers to wait for it; nor is it waited for after a request to stop.
   */
  async finish(): Promise<void> {
    const { session, signal, stopping } = this.#context;
    await raceAbort(this.collection.optimize?.(signal) ?? Promise.resolve(), signal);
    if (stopping.aborted) return;
    const unseen = await this.visibility.wait(this.collection, signal);
    await this.visibility.keep(session);
    if (unseen !== undefined && unseen.retry !== "later") this.fail(unseen);
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

/**
 * Opens the collections of the active sinks, or refuses before anything is written. A sink that is down is given up
 * for this run and the others go on; rejects when all are down.
 */
export async function openTargets(
  context: RunContext,
  space: Space,
  sinks: readonly PipelineSink[],
): Promise<Target[]> {
  const { session, signal } = context;
  const findings = await survey(context, space, sinks);
  // All are checked before the first is created or marked.
  for (const found of findings) if (found.kind === "refused") throw refusalFault(found.refusal);
  const known = new Map((await session.targets()).map((info) => [info.target, info]));
  const targets: Target[] = [];
  const down: { readonly sink: PipelineSink; readonly fault: FaultLike }[] = [];
  for (const found of findings) {
    if (found.kind === "down") down.push(found);
    if (found.kind !== "usable") continue;
    try {
      targets.push(await openTarget(context, found.survey, space, known));
    } catch (error) {
      if (!isSinkFault(error) || signal.aborted) throw error;
      down.push({ sink: found.survey.sink, fault: error });
    }
  }
  const [first] = down;
  if (targets.length === 0 && first !== undefined) throw first.fault;
  for (const { sink, fault } of down) context.lose(`sinks.${sink.name}`, fault);
  return targets;
}

function survey(
  context: RunContext,
  space: Space,
  sinks: readonly PipelineSink[],
): Promise<readonly SinkFinding[]> {
  const { pipeline, session, signal } = context;
  const call = <T>({ name }: PipelineSink, request: () => Promise<T>): Promise<T> =>
    context.retry(`sinks.${name}`, request, true);
  return surveySinks({ pipeline, session, sinks, space, call, signal });
}

async function openTarget(
  context: RunContext,
  found: SinkSurvey,
  space: Space,
  known: ReadonlyMap<string, TargetInfo>,
): Promise<Target> {
  const { sink, decision } = found;
  const { signal } = context;
  if (decision.kind === "refuse") throw refusalFault(decision);
  const created = decision.kind === "create";
  const collection = created
    ? await create(context, found, decision)
    : await context.retry(
        `sinks.${sink.name}`,
        () => sink.sink.open(signal, decision.dimension),
        true,
      );
  if (collection === undefined) {
    const [again] = await survey(context, space, [sink]);
    if (again?.kind === "refused") throw refusalFault(again.refusal);
    if (again?.kind === "down") throw again.fault;
    assert(again !== undefined, "a sink that was asked for was surveyed");
    return openTarget(context, again.survey, space, known);
  }
  if (collection.dimension !== decision.dimension) {
    throw new Fault(
      "refused.dimension",
      `The collection ${sink.sink.address} has dimension ${collection.dimension}, but ` +
        `${decision.dimension} was decided a moment ago: it was changed meanwhile. Run again.`,
    );
  }
  const marker =
    found.marker ?? newMarker(space, decision.dimension, unmarked(known, sink) ?? randomUUID());
  const info: TargetInfo = {
    ...(known.get(marker.incarnation) ?? { markerSeq: 0, attemptedSeq: 0 }),
    target: marker.incarnation,
    sink: sink.name,
    address: sink.sink.address,
    dimension: decision.dimension,
    space: space.hash,
  };
  const visibility = await Visibility.open(context.session, marker.incarnation);
  const target = new Target({ context, sink, collection, marker, info, visibility });
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
