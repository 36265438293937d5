import type {
  Collection,
  CollectionDescription,
  DocumentKey,
  DocumentRow,
  Mutation,
  StateSession,
  StoredRecord,
  TargetRow,
} from "../contracts/index.ts";
import { Fault, isFaultCode } from "../faults/index.ts";
import { isStoredVector } from "./check-vectors.ts";
import { deleteRecords } from "./delete-records.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { recordFingerprint } from "./identity.ts";
import { checkMark } from "./marks.ts";
import { openStateToRead, openStateToWrite } from "./open-state.ts";
import type { Pipeline, PipelineSink } from "./pipeline.ts";
import { sinkOf } from "./query.ts";
import { run } from "./run.ts";
import { mismatch, ownRecords, unknownRecords } from "./survey.ts";
import { Visibility } from "./visibility.ts";

export interface VerifyOptions {
  readonly repair?: boolean;
  readonly sinks?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Records of one sink against the state. */
export interface SinkVerdict {
  /** Records that the state says are there. */
  readonly expected: number;
  /** Of these, records that are there and right. */
  readonly present: number;
  readonly missing: number;
  /** Records of this pipeline that the state does not know. */
  readonly orphaned: number;
  /** Of another version, of another length, not finite, or not of norm 1. */
  readonly stale: number;
  /** Missing, orphaned and stale records that `--repair` mended. */
  readonly repaired: number;
}

export interface VerifyResult {
  readonly sinks: Readonly<Record<string, SinkVerdict>>;
  readonly exitCode: ExitCode;
}

/** Records read at once, with their vectors. */
const readAtOnce = 256;

/** What a pass over the sinks does besides counting. */
type Mending = "nothing" | "mark damaged" | "delete orphans";

/**
 * Compares the state with every sink, record by record; with `repair`, mends what differs: damaged documents are marked
 * as owed and written again by a run, from cache or sink where that can be. Only when the run has gone well are records
 * deleted that the state does not know.
 */
export async function verify(
  pipeline: Pipeline,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const signal = options.signal ?? new AbortController().signal;
  const names = options.sinks ?? [...pipeline.sinks.keys()];
  const pass = (mending: Mending): Promise<Record<string, SinkVerdict>> =>
    comparePass(pipeline, names, mending, signal);
  if (options.repair !== true) return resultOf(await pass("nothing"));
  const found = await pass("mark damaged");
  if (Object.values(found).every(isClean)) return resultOf(found);
  const { error } = (await run(pipeline, { sinks: names, signal })).summary;
  if (error !== undefined && error.code !== "refused.deletions") {
    throw new Fault(
      isFaultCode(error.code) ? error.code : "sink.unreachable",
      `The repair did not finish: ${error.message}`,
    );
  }
  const left = await pass("delete orphans");
  const mended = Object.entries(left).map(([name, verdict]) => {
    const after = { ...verdict, orphaned: 0 };
    const repaired = Math.max(0, wrong(found[name] ?? after) - wrong(after));
    return [name, { ...after, repaired }] as const;
  });
  return resultOf(Object.fromEntries(mended));
}

async function comparePass(
  pipeline: Pipeline,
  names: readonly string[],
  mending: Mending,
  signal: AbortSignal,
): Promise<Record<string, SinkVerdict>> {
  const sinks = names.map((name) => sinkOf(pipeline, name));
  return withState(pipeline, mending !== "nothing", signal, async (session) => {
    const verdicts: Record<string, SinkVerdict> = {};
    for (const sink of sinks) {
      verdicts[sink.name] = await verifySink(pipeline, session, sink, mending, signal);
    }
    return verdicts;
  });
}

function resultOf(sinks: Readonly<Record<string, SinkVerdict>>): VerifyResult {
  const clean = Object.values(sinks).every(isClean);
  return { sinks, exitCode: clean ? exitCodes.done : exitCodes.failedDocuments };
}

function wrong({ missing, orphaned, stale }: SinkVerdict): number {
  return missing + orphaned + stale;
}

function isClean(verdict: SinkVerdict): boolean {
  return wrong(verdict) === 0;
}

async function withState<T>(
  pipeline: Pipeline,
  write: boolean,
  signal: AbortSignal,
  use: (session: StateSession) => Promise<T>,
): Promise<T> {
  const session = write
    ? await openStateToWrite(pipeline, signal)
    : await openStateToRead(pipeline, signal);
  if (session === undefined) {
    throw new Fault(
      "refused.state",
      `There is no state at ${pipeline.state.address} to compare with. Run \`sluice run\` first, or ` +
        `\`sluice adopt --sink ${pipeline.sinks.keys().next().value ?? "NAME"}\` if the state was lost.`,
    );
  }
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

interface Counts {
  expected: number;
  present: number;
  missing: number;
  orphaned: number;
  stale: number;
}

async function verifySink(
  pipeline: Pipeline,
  session: StateSession,
  sink: PipelineSink,
  mending: Mending,
  signal: AbortSignal,
): Promise<SinkVerdict> {
  const counts: Counts = { expected: 0, present: 0, missing: 0, orphaned: 0, stale: 0 };
  const live = await sink.sink.describe(signal);
  const target = live?.marker?.incarnation ?? (await lastTarget(session, sink));
  const collection = live === undefined ? undefined : await sink.sink.open(signal);
  if (live !== undefined && collection !== undefined) {
    await refuseOtherState(pipeline, session, sink, live, collection, signal);
  }
  const visibility = await Visibility.open(session, target);
  const unseen = collection && (await visibility.wait(collection, signal));
  // What reads do not see yet must not be mended.
  if (unseen !== undefined && mending !== "nothing") throw unseen;
  if (target !== undefined) {
    for await (const page of session.pages({ target })) {
      const damaged = await checkPage(page, target, collection, counts, signal);
      if (mending === "mark damaged") await markOwed(session, target, damaged);
    }
  }
  if (collection !== undefined) {
    for await (const orphans of findOrphans(pipeline, session, target, collection, signal)) {
      counts.orphaned += orphans.length;
      if (mending !== "delete orphans") continue;
      await deleteRecords(collection, orphans, visibility, signal).finally(() =>
        visibility.keep(session),
      );
    }
  }
  if (mending !== "nothing") {
    if (collection !== undefined) await visibility.wait(collection, signal);
    await visibility.keep(session);
  }
  const verdict = { ...counts, repaired: 0 };
  if (unseen !== undefined && !isClean(verdict)) throw unseen;
  return verdict;
}

async function lastTarget(session: StateSession, sink: PipelineSink): Promise<string | undefined> {
  const infos = await session.targets();
  return infos.findLast((info) => info.sink === sink.name)?.target;
}

/** Refuses where a run would refuse because collection and state do not belong together: the state proves nothing. */
async function refuseOtherState(
  pipeline: Pipeline,
  session: StateSession,
  sink: PipelineSink,
  live: CollectionDescription,
  collection: Collection,
  signal: AbortSignal,
): Promise<void> {
  const { marker } = live;
  const infos = await session.targets();
  const mark =
    marker &&
    checkMark({
      marker,
      pipeline: pipeline.name,
      previously: pipeline.previously,
      stateId: session.stateId,
      info: infos.find((info) => info.target === marker.incarnation),
    });
  if (mark?.kind === "known") return;
  if (mark?.kind === "refuse") throw mismatch(sink, mark.reason);
  const own = await ownRecords(pipeline, collection, signal);
  if (own > 0) throw mismatch(sink, unknownRecords(own));
}

/** Compares the documents of one page; gives those that are not as they should be. */
async function checkPage(
  page: readonly DocumentRow[],
  target: string,
  collection: Collection | undefined,
  counts: Counts,
  signal: AbortSignal,
): Promise<DocumentRow[]> {
  const damaged = new Set<DocumentRow>();
  const expected = new Map<string, { readonly row: DocumentRow; readonly fingerprint: string }>();
  for (const row of page) {
    const held = row.targets.get(target);
    if (held === undefined) continue;
    const fingerprint = expectedFingerprint(held);
    for (const id of held.ids) expected.set(id, { row, fingerprint });
  }
  counts.expected += expected.size;
  const ids = [...expected.keys()];
  const seen = new Set<string>();
  for (let start = 0; start < ids.length; start += readAtOnce) {
    const part = ids.slice(start, start + readAtOnce);
    if (collection === undefined) break;
    for (const record of await collection.read(part, { vectors: true }, signal)) {
      const wanted = expected.get(record.id);
      if (wanted === undefined || seen.has(record.id)) continue;
      seen.add(record.id);
      const { vector } = record;
      const isSound = vector !== undefined && isStoredVector(vector, collection.dimension);
      if (record.fingerprint === wanted.fingerprint && isSound) {
        counts.present += 1;
        continue;
      }
      counts.stale += 1;
      damaged.add(wanted.row);
    }
  }
  for (const [id, { row }] of expected) {
    if (seen.has(id)) continue;
    counts.missing += 1;
    damaged.add(row);
  }
  return [...damaged];
}

/** What every record of the document should carry; nothing carries the fingerprint of a document only begun. */
function expectedFingerprint(held: TargetRow): string {
  return held.status === "settled" ? recordFingerprint(held.version, held.ids.length) : "";
}

/** A damaged document counts as only begun, and is read again. */
async function markOwed(
  session: StateSession,
  target: string,
  damaged: readonly DocumentRow[],
): Promise<void> {
  const mutations = damaged.flatMap((row): Mutation[] => {
    const key: DocumentKey = { source: row.source, id: row.id };
    const ids = row.targets.get(target)?.ids ?? [];
    return [
      { kind: "begin", key, target, ids },
      // A deletion that is withheld stays so.
      {
        kind: "document",
        key,
        set: { owed: !row.gone || row.owed, revision: undefined, failure: undefined },
      },
    ];
  });
  if (mutations.length > 0) await session.commit(mutations);
}

/** Ids of records of this pipeline that the state does not know. */
async function* findOrphans(
  pipeline: Pipeline,
  session: StateSession,
  target: string | undefined,
  collection: Collection,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  for await (const page of collection.scan({ pipeline: pipeline.name }, signal)) {
    yield await orphansOf(page, session, target);
  }
}

async function orphansOf(
  page: readonly StoredRecord[],
  session: StateSession,
  target: string | undefined,
): Promise<string[]> {
  const documents = [...new Set(page.map((record) => record.document))];
  const keys = documents.map((document): DocumentKey => {
    const [source = ""] = document.split(":", 1);
    return { source, id: document.slice(source.length + 1) };
  });
  const rows = await session.lookup(keys);
  const known = new Map<string, ReadonlySet<string>>();
  for (const [index, document] of documents.entries()) {
    const held = target === undefined ? undefined : rows[index]?.targets.get(target);
    known.set(document, new Set(held?.ids));
  }
  return page
    .filter((record) => known.get(record.document)?.has(record.id) !== true)
    .map((record) => record.id);
}
