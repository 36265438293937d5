import type {
  Collection,
  DocumentRow,
  Mutation,
  StateSession,
  TargetInfo,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { deleteRecords } from "./delete-records.ts";
import { openStateToWrite } from "./open-state.ts";
import type { Pipeline, PipelineSink } from "./pipeline.ts";
import { Visibility } from "./visibility.ts";

export interface ForgetOptions {
  /** Exactly one of the two. */
  readonly sink?: string;
  readonly source?: string;
  /** Also deletes this pipeline's records there. */
  readonly deleteRecords?: boolean;
  readonly signal?: AbortSignal;
}

export interface ForgetResult {
  readonly documents: number;
  readonly records_deleted: number;
  /** The address of the sink's present collection, when only earlier ones were forgotten and this one was kept. */
  readonly kept?: string;
}

/**
 * Detaches a sink or a source: the state no longer knows it. Its records stay, unless asked otherwise. Of a sink whose
 * collection was replaced by another one since, only the earlier collections are forgotten; a second call, or one with
 * `deleteRecords`, forgets the present one.
 */
export async function forget(pipeline: Pipeline, options: ForgetOptions): Promise<ForgetResult> {
  if ((options.sink === undefined) === (options.source === undefined)) {
    throw new Fault("config.invalid", "Name either a sink or a source to forget.");
  }
  const signal = options.signal ?? new AbortController().signal;
  const session = await openStateToWrite(pipeline, signal);
  try {
    return options.sink === undefined
      ? await forgetSource(pipeline, session, options.source ?? "", options, signal)
      : await forgetSink(pipeline, session, options.sink, options, signal);
  } finally {
    await session.close();
  }
}

async function forgetSink(
  pipeline: Pipeline,
  session: StateSession,
  name: string,
  options: ForgetOptions,
  signal: AbortSignal,
): Promise<ForgetResult> {
  const sink = pipeline.sinks.get(name);
  const infos = (await session.targets()).filter((info) => info.sink === name);
  if (sink === undefined && infos.length === 0) {
    const known = (await session.targets()).map((info) => `\`${info.sink}\``).join(", ");
    const message = `The state knows no sink \`${name}\`; it knows ${known || "none"}.`;
    throw new Fault("config.invalid", message);
  }
  if (options.deleteRecords === true && sink === undefined) {
    throw new Fault(
      "config.invalid",
      `The sink \`${name}\` is no longer in the file, so its records cannot be reached. Put it back for ` +
        "this command, or forget it without `--delete-records`.",
    );
  }
  const deletes = options.deleteRecords === true && sink !== undefined;
  const present = deletes ? undefined : await presentTarget(sink, infos, signal);
  let documents = 0;
  // Before the first record is deleted: a state must never believe in records that are gone.
  for (const info of infos) {
    if (info === present) continue;
    documents += await session.count({ target: info.target });
    await session.commit([{ kind: "forget-target", target: info.target }]);
  }
  const deleted = deletes ? await deleteAll(pipeline, session, sink, signal) : 0;
  const kept = present === undefined ? {} : { kept: present.address };
  return { documents, records_deleted: deleted, ...kept };
}

/** Of several targets of a sink, the one that it writes to now. */
async function presentTarget(
  sink: PipelineSink | undefined,
  infos: readonly TargetInfo[],
  signal: AbortSignal,
): Promise<TargetInfo | undefined> {
  if (sink === undefined || infos.length < 2) return undefined;
  const live = await sink.sink.describe(signal);
  return infos.find((info) => info.target === live?.marker?.incarnation);
}

/** Deletes every record of this pipeline in a sink, and its mark in the marker. */
async function deleteAll(
  pipeline: Pipeline,
  session: StateSession,
  sink: PipelineSink,
  signal: AbortSignal,
): Promise<number> {
  const live = await sink.sink.describe(signal);
  if (live === undefined) return 0;
  const collection = await sink.sink.open(signal);
  // The state knows nothing of the target any more.
  const visibility = await Visibility.open(session, undefined);
  let deleted = 0;
  for await (const page of collection.scan({ pipeline: pipeline.name }, signal)) {
    const ids = page.map(({ id }) => id);
    await deleteRecords(collection, ids, visibility, signal);
    deleted += page.length;
  }
  await visibility.wait(collection, signal);
  if (live.marker !== undefined) {
    const others = Object.entries(live.marker.pipelines).filter(([key]) => key !== pipeline.name);
    const marker = { ...live.marker, pipelines: Object.fromEntries(others) };
    await collection.setMarker(marker, signal);
  }
  return deleted;
}

async function forgetSource(
  pipeline: Pipeline,
  session: StateSession,
  source: string,
  options: ForgetOptions,
  signal: AbortSignal,
): Promise<ForgetResult> {
  const targets =
    options.deleteRecords === true
      ? await openKnown(pipeline, session, signal)
      : new Map<string, KnownTarget>();
  let documents = 0;
  let deleted = 0;
  for await (const page of session.pages({ source })) {
    for (const row of page) deleted += await deleteDocument(row, session, targets, signal);
    const mutations = page.flatMap((row): Mutation[] => {
      const key = { source: row.source, id: row.id };
      const clears = [...row.targets.keys()].map((target): Mutation => {
        return { kind: "clear", key, target };
      });
      return [...clears, { kind: "forget", key }];
    });
    const unseen = [...targets.values()].flatMap(({ visibility }) => visibility.changes());
    await session.commit([...mutations, ...unseen]);
    documents += page.length;
  }
  await session.commit([{ kind: "forget-source", name: source }]);
  for (const { collection, visibility } of targets.values()) {
    await visibility.wait(collection, signal);
    await visibility.keep(session);
  }
  return { documents, records_deleted: deleted };
}

interface KnownTarget {
  readonly collection: Collection;
  readonly visibility: Visibility;
}

/** The collections that the state knows, by target; all must be reachable before the first record is deleted. */
async function openKnown(
  pipeline: Pipeline,
  session: StateSession,
  signal: AbortSignal,
): Promise<Map<string, KnownTarget>> {
  const known = new Set((await session.targets()).map((info) => info.target));
  const targets = new Map<string, KnownTarget>();
  for (const { sink } of pipeline.sinks.values()) {
    const live = await sink.describe(signal);
    const target = live?.marker?.incarnation;
    if (target === undefined || !known.has(target)) continue;
    const visibility = await Visibility.open(session, target);
    targets.set(target, { collection: await sink.open(signal), visibility });
  }
  return targets;
}

async function deleteDocument(
  row: DocumentRow,
  session: StateSession,
  targets: ReadonlyMap<string, KnownTarget>,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const [target, held] of row.targets) {
    const known = targets.get(target);
    if (known === undefined || held.ids.length === 0) continue;
    const key = { source: row.source, id: row.id };
    await session.commit([{ kind: "begin", key, target, ids: held.ids }], { durable: false });
    await deleteRecords(known.collection, held.ids, known.visibility, signal);
    deleted += held.ids.length;
  }
  return deleted;
}
