import type {
  Clock,
  DocumentKey,
  DocumentRow,
  FailureRow,
  JsonObject,
  Mutation,
  RunRow,
  StateSession,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { systemClock } from "../flow/index.ts";
import { openStateToRead, openStateToWrite } from "./open-state.ts";
import type { Pipeline } from "./pipeline.ts";

/** Runs that `status` tells of. */
const lastRuns = 10;

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
    /** Their newest version is still to be written somewhere. */
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

export interface RunStatusRow {
  readonly run: string;
  readonly started_at: string;
  readonly ended_at?: string;
  /** `running` also when its process died without a word. */
  readonly status: RunRow["status"];
  readonly summary?: JsonObject;
}

/** A dead letter. */
export interface Failure {
  readonly document: string;
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
    return {
      ...base,
      exists: true,
      documents: await documentCounts(session),
      sources: await sourceRows(pipeline, session, clock),
      sinks: await sinkRows(pipeline, session),
      runs: (await session.runs(lastRuns)).map(runRow),
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
    for await (const page of session.pages({ failed: true })) {
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
  return changeFailures(pipeline, documents, options, () => ({
    failure: undefined,
    revision: undefined,
    owed: true,
  }));
}

/** Notes that the user has seen failures: they no longer make a run end with 3. All of them when none is named. */
export function acceptFailures(
  pipeline: Pipeline,
  documents?: readonly string[],
  options: InspectOptions = {},
): Promise<{ readonly documents: number }> {
  return changeFailures(pipeline, documents, options, (failure) => ({
    failure: { ...failure, accepted: true },
  }));
}

async function changeFailures(
  pipeline: Pipeline,
  documents: readonly string[] | undefined,
  options: InspectOptions,
  change: (failure: FailureRow) => (Mutation & { readonly kind: "document" })["set"],
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
        ? session.pages({ failed: true })
        : [await failed(session, documents)];
    let changed = 0;
    for await (const page of pages) {
      const mutations = page.flatMap((row): Mutation[] => {
        if (row.failure === undefined) return [];
        const key: DocumentKey = { source: row.source, id: row.id };
        return [{ kind: "document", key, set: change(row.failure) }];
      });
      if (mutations.length > 0) await session.commit(mutations);
      changed += mutations.length;
    }
    return { documents: changed };
  } finally {
    await session.close();
  }
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
  refuseUnknown(distinct.filter((_, index) => rows[index]?.failure === undefined));
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

async function documentCounts(session: StateSession): Promise<PipelineStatus["documents"]> {
  let accepted = 0;
  for await (const page of session.pages({ failed: true })) {
    accepted += page.filter((row) => row.failure?.accepted === true).length;
  }
  return {
    total: await session.count({}),
    indexed: await session.count({ indexed: true }),
    failed: await session.count({ failed: true }),
    accepted,
    owed: await session.count({ owed: true, gone: false }),
    withheld: await session.count({ gone: true, owed: false }),
  };
}

async function sourceRows(
  pipeline: Pipeline,
  session: StateSession,
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
        documents: await session.count({ source: name }),
        owed: await session.count({ source: name, owed: true, gone: false }),
        failed: await session.count({ source: name, failed: true }),
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

function runRow({ id, startedAt, endedAt, status: ended, summary }: RunRow): RunStatusRow {
  return {
    run: id,
    started_at: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { ended_at: new Date(endedAt).toISOString() }),
    status: ended,
    ...(summary === undefined ? {} : { summary }),
  };
}

function failureOf(row: DocumentRow, failure: FailureRow): Failure {
  const { stage, code, message, attempts, firstAt, lastAt, accepted, retry } = failure;
  return {
    document: `${row.source}:${row.id}`,
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
