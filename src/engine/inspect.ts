import type {
  Clock,
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  FailureRow,
  Mutation,
  StateSession,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { systemClock } from "../flow/index.ts";
import { openStateToRead, openStateToWrite } from "./open-state.ts";
import type { Pipeline } from "./pipeline.ts";
import { runHistory, type RunStatusRow } from "./run-history.ts";

/** What the state knows of a pipeline. */
export interface PipelineStatus {
  readonly pipeline: string;
  /** Where the state is kept. */
  readonly state: string;
  /** False before the first run, or when the state was lost. */
  readonly exists: boolean;
  readonly documents: {
    readonly total: number;
    /** Held by at least one sink. */
    readonly indexed: number;
    readonly failed: number;
    /** Of the failed ones, those that the user accepted. */
    readonly accepted: number;
    /** Their newest version is still to be written somewhere; also what was listed and not come to. */
    readonly owed: number;
    /** Gone from their source, still in the index. */
    readonly withheld: number;
  };
  readonly sources: readonly SourceStatus[];
  readonly sinks: readonly SinkStatus[];
  /** Newest first. */
  readonly runs: readonly RunStatusRow[];
}

export interface SourceStatus {
  readonly source: string;
  readonly documents: number;
  readonly owed: number;
  readonly failed: number;
  /** When the last complete listing ended, in ISO 8601. */
  readonly complete_at?: string;
  readonly complete_age_ms?: number;
  /** No longer in the pipeline file. */
  readonly removed: boolean;
}

export interface SinkStatus {
  readonly sink: string;
  readonly address: string;
  readonly dimension: number;
  readonly documents: number;
  /** No longer in the pipeline file. */
  readonly removed: boolean;
}

/** A dead letter. */
export interface Failure {
  readonly document: string;
  /** Not a document, but a folder (any prefix of ids) that could not be listed. */
  readonly folder: boolean;
  readonly stage: FailureRow["stage"];
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly accepted: boolean;
  /** A run tries it again by itself. */
  readonly retried: boolean;
  /** An older version is still in the index. */
  readonly indexed: boolean;
}

interface InspectOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** What the state knows: counts, sources, sinks, last runs. Opens no component, takes no lease. */
export async function status(
  pipeline: Pipeline,
  options: InspectOptions = {},
): Promise<PipelineStatus> {
  const { clock = systemClock } = options;
  const base = { pipeline: pipeline.name, state: pipeline.state.address };
  const session = await openStateToRead(pipeline, signalOf(options));
  if (session === undefined) {
    const documents = { total: 0, indexed: 0, failed: 0, accepted: 0, owed: 0, withheld: 0 };
    return { ...base, exists: false, documents, sources: [], sinks: [], runs: [] };
  }
  try {
    const failures = await failureCounts(session);
    return {
      ...base,
      exists: true,
      documents: await documentCounts(session, failures),
      sources: await sourceRows(pipeline, session, failures.folders, clock),
      sinks: await sinkRows(pipeline, session),
      runs: await runHistory(pipeline, session),
    };
  } finally {
    await session.close();
  }
}

/** All dead letters, in the order of their documents. */
export async function listFailures(
  pipeline: Pipeline,
  options: InspectOptions = {},
): Promise<readonly Failure[]> {
  const session = await openStateToRead(pipeline, signalOf(options));
  if (session === undefined) return [];
  try {
    const failures: Failure[] = [];
    for await (const page of session.pages({ failed: true, gone: false })) {
      for (const row of page)
        if (row.failure !== undefined) failures.push(failureOf(row, row.failure));
    }
    return failures;
  } finally {
    await session.close();
  }
}

/** Forgets failures, so that the next run tries the documents again. All of them when none is named. */
export function retryFailures(
  pipeline: Pipeline,
  documents?: readonly string[],
  options: InspectOptions = {},
): Promise<{ readonly documents: number }> {
  return changeFailures(pipeline, documents, options, (key, row) => {
    // A folder is no document that could be looked up; the next listing looks into it.
    if (row.failure?.prefix === true && row.targets.size === 0) return { kind: "forget", key };
    const set = { failure: undefined, revision: undefined, owed: true };
    return { kind: "document", key, set };
  });
}

/** Notes that the user has seen failures: they no longer make a run end with 3. All of them when none is named. */
export function acceptFailures(
  pipeline: Pipeline,
  documents?: readonly string[],
  options: InspectOptions = {},
): Promise<{ readonly documents: number }> {
  return changeFailures(pipeline, documents, options, (key, { failure }) => {
    return { kind: "document", key, set: { failure: failure && { ...failure, accepted: true } } };
  });
}

async function changeFailures(
  pipeline: Pipeline,
  documents: readonly string[] | undefined,
  options: InspectOptions,
  change: (key: DocumentKey, row: DocumentRow) => Mutation,
): Promise<{ readonly documents: number }> {
  const signal = signalOf(options);
  // A pipeline that never ran has no failures, and gets no state by asking.
  const reading = await openStateToRead(pipeline, signal);
  await reading?.close();
  if (reading === undefined) {
    if (documents !== undefined) refuseUnknown(documents);
    return { documents: 0 };
  }
  const session = await openStateToWrite(pipeline, signal);
  try {
    const pages =
      documents === undefined
        ? session.pages({ failed: true, gone: false })
        : [await failed(session, documents)];
    let changed = 0;
    for await (const page of pages) {
      const mutations = page.map((row) => change({ source: row.source, id: row.id }, row));
      await session.commit([...(await forgottenCursors(session, page, mutations)), ...mutations]);
      changed += mutations.length;
    }
    return { documents: changed };
  } finally {
    await session.close();
  }
}

/** Where a folder's failure is forgotten, only a whole listing looks into the folder again. */
async function forgottenCursors(
  session: StateSession,
  page: readonly DocumentRow[],
  mutations: readonly Mutation[],
): Promise<Mutation[]> {
  const folders = page.filter((row, index) => {
    return row.failure?.prefix === true && mutations[index]?.kind === "forget";
  });
  const sources = new Set(folders.map(({ source }) => source));
  return (await session.sources())
    .filter(({ name }) => sources.has(name))
    .map((row) => ({ kind: "source", row: { ...row, cursor: undefined } }));
}

/** The rows of named documents; each must have failed, so that a misspelt name is noticed. */
async function failed(
  session: StateSession,
  documents: readonly string[],
): Promise<readonly DocumentRow[]> {
  const distinct = [...new Set(documents)];
  const keys = distinct.map((document): DocumentKey => {
    const at = document.indexOf(":");
    return { source: document.slice(0, Math.max(0, at)), id: document.slice(at + 1) };
  });
  const rows = await session.lookup(keys);
  refuseUnknown(
    distinct.filter((_, index) => rows[index]?.failure === undefined || rows[index].gone),
  );
  return rows.filter((row) => row !== undefined);
}

function refuseUnknown(documents: readonly string[]): void {
  const [first] = documents;
  if (first === undefined) return;
  throw new Fault(
    "config.invalid",
    `The document \`${first}\` has not failed. \`sluice failures list\` names those that have.`,
  );
}

function signalOf(options: InspectOptions): AbortSignal {
  return options.signal ?? new AbortController().signal;
}

/** What the dead letters tell besides their number. */
interface FailureCounts {
  readonly accepted: number;
  /** Folders that could not be listed, by source: failures, but no documents. */
  readonly folders: ReadonlyMap<string, number>;
}

async function failureCounts(session: StateSession): Promise<FailureCounts> {
  let accepted = 0;
  const folders = new Map<string, number>();
  for await (const page of session.pages({ failed: true, gone: false })) {
    for (const { source, failure, targets } of page) {
      if (failure?.accepted === true) accepted += 1;
      if (failure?.prefix !== true || targets.size > 0) continue;
      folders.set(source, (folders.get(source) ?? 0) + 1);
    }
  }
  return { accepted, folders };
}

async function documentCounts(
  session: StateSession,
  { accepted, folders }: FailureCounts,
): Promise<PipelineStatus["documents"]> {
  const folderCount = [...folders.values()].reduce((sum, count) => sum + count, 0);
  return {
    total: (await session.count({})) - folderCount,
    indexed: await session.count({ indexed: true }),
    failed: await session.count({ failed: true, gone: false }),
    accepted,
    owed: await owedDocuments(session, {}),
    withheld: await session.count({ gone: true, owed: false, indexed: true }),
  };
}

/** Those that are owed, and those that were listed and that the run did not come to before it died. */
async function owedDocuments(session: StateSession, query: DocumentQuery): Promise<number> {
  const owed = await session.count({ ...query, owed: true, gone: false });
  const rest = { ...query, owed: false, gone: false, failed: false, indexed: false };
  return owed + (await session.count(rest));
}

async function sourceRows(
  pipeline: Pipeline,
  session: StateSession,
  folders: ReadonlyMap<string, number>,
  clock: Clock,
): Promise<SourceStatus[]> {
  const rows = await session.sources();
  return Promise.all(
    rows.map(async ({ name, completeAt }): Promise<SourceStatus> => {
      const complete =
        completeAt === undefined
          ? {}
          : {
              complete_at: new Date(completeAt).toISOString(),
              complete_age_ms: Math.max(0, Math.round(clock.now() - completeAt)),
            };
      return {
        source: name,
        documents: (await session.count({ source: name })) - (folders.get(name) ?? 0),
        owed: await owedDocuments(session, { source: name }),
        failed: await session.count({ source: name, failed: true, gone: false }),
        ...complete,
        removed: !pipeline.sources.has(name),
      };
    }),
  );
}

async function sinkRows(pipeline: Pipeline, session: StateSession): Promise<SinkStatus[]> {
  const targets = await session.targets();
  return Promise.all(
    targets.map(async ({ sink, address, dimension, target }): Promise<SinkStatus> => {
      const documents = await session.count({ target });
      return { sink, address, dimension, documents, removed: !pipeline.sinks.has(sink) };
    }),
  );
}

function failureOf(row: DocumentRow, failure: FailureRow): Failure {
  const { stage, code, message, attempts, firstAt, lastAt, accepted, retry } = failure;
  return {
    document: `${row.source}:${row.id}`,
    folder: failure.prefix === true,
    stage,
    code,
    message,
    attempts,
    first_at: new Date(firstAt).toISOString(),
    last_at: new Date(lastAt).toISOString(),
    accepted,
    retried: retry === "later",
    indexed: row.targets.size > 0,
  };
}
