import { randomUUID } from "node:crypto";
import type { FaultLike, JsonObject, RunRow, SourceRow, StateSession } from "../contracts/index.ts";
import { Fault, isFault } from "../faults/index.ts";
import { join, systemClock } from "../flow/index.ts";
import { RunContext, type RunOptions } from "./context.ts";
import { DocumentQueue } from "./document-queue.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { activeSources, openRun } from "./open-run.ts";
import { measured } from "./measured.ts";
import { openStateToWrite } from "./open-state.ts";
import { pick } from "./pick.ts";
import type { Pipeline } from "./pipeline.ts";
import { reap } from "./reap.ts";
import type { Run } from "./run-parts.ts";
import { SourceSync } from "./source-sync.ts";
import type { RunStatus, RunSummary } from "./summary.ts";
import { withheldFault } from "./withheld-fault.ts";

export interface RunResult {
  readonly summary: RunSummary;
  readonly exitCode: ExitCode;
}

/**
 * Makes every sink equal to the sources. Operating errors end in the summary; only bugs of ours reject. The components
 * stay open; see `closePipeline`.
 */
export async function run(pipeline: Pipeline, options: RunOptions = {}): Promise<RunResult> {
  const clock = options.clock ?? systemClock;
  const id = randomUUID();
  const started = { wall: clock.now(), monotonic: clock.monotonic() };
  const signal = options.signal ?? new AbortController().signal;
  let session: StateSession;
  try {
    // A misspelt name must not leave a state behind.
    pick(pipeline.sources, options.sources, "source");
    pick(pipeline.sinks, options.sinks, "sink");
    session = await openStateToWrite(pipeline, signal);
  } catch (error) {
    if (isFault(error)) return neverStarted(pipeline, id, error);
    if (!signal.aborted) throw error;
    const stopped = new Fault("aborted", "The run was stopped before it began.");
    return neverStarted(pipeline, id, stopped);
  }
  const context = new RunContext(pipeline, session, options, clock);
  try {
    const row: RunRow = {
      id,
      startedAt: started.wall,
      endedAt: undefined,
      status: "running",
      summary: undefined,
    };
    context.emit({ kind: "run-started", pipeline: pipeline.name, run: id });
    await synchronise(context, row);
    if (context.bug !== undefined) throw context.bug;
    if (context.stopping.aborted) context.tally.putBack();
    const result = resultOf(context, id, clock.monotonic() - started.monotonic);
    await record(context, { ...row, endedAt: clock.now() }, result.summary);
    return result;
  } finally {
    await session.close();
  }
}

/** Closes every component of a pipeline. */
export async function closePipeline(pipeline: Pipeline): Promise<void> {
  for (const { source, parsers, chunker } of pipeline.sources.values()) {
    await source.close();
    await chunker.close();
    for (const { parser } of parsers) await parser.close();
  }
  for (const { sink } of pipeline.sinks.values()) await sink.close();
  await pipeline.embedder.close();
  await pipeline.cache?.close();
  await pipeline.state.close();
}

async function synchronise(context: RunContext, began: RunRow): Promise<void> {
  let opened: Run;
  try {
    await context.session.commit([{ kind: "run", row: began }], { durable: false });
    opened = await openRun(context);
  } catch (error) {
    context.fail("start", error);
    return;
  }
  try {
    const rows = new Map((await context.session.sources()).map((row) => [row.name, row]));
    const syncs = activeSources(context).map((source) => {
      return new SourceSync(opened, source, rows.get(source.name));
    });
    await join(syncs.map((sync) => sync.sync()));
    if (context.options.sources === undefined) await reapRemoved(opened, [...rows.values()]);
    await context.ledger.finish();
    for (const target of opened.targets) {
      if (target.fault === undefined) await target.finish();
    }
  } catch (error) {
    context.fail("run", error);
  }
}

/** Documents of sources that are no longer in the file: kept until the user lets them go. */
async function reapRemoved(opened: Run, known: readonly SourceRow[]): Promise<void> {
  const { context } = opened;
  const { session, pipeline } = context;
  for (const row of known) {
    const { name } = row;
    if (pipeline.sources.has(name) || context.stopping.aborted) continue;
    // Should it come back, only a whole listing can tell that its documents are not gone.
    if (row.cursor !== undefined) {
      await session.commit([{ kind: "source", row: { ...row, cursor: undefined } }]);
    }
    for await (const page of session.pages({ source: name, gone: false })) {
      await session.commit(
        page.map(({ source, id }) => {
          return {
            kind: "document",
            key: { source, id },
            set: { gone: true, owed: false },
          } as const;
        }),
      );
    }
    const queue = new DocumentQueue(pipeline.policy.limits.documents, (error) => {
      context.fail(`sources.${name}`, error);
    });
    const withheld = await reap(opened, {
      name,
      untrusted: "removed",
      isVouched: () => true,
      queue,
    });
    if (withheld || (await session.count({ source: name })) > 0) continue;
    await session.commit([{ kind: "forget-source", name }]);
  }
}

function resultOf(context: RunContext, id: string, durationMs: number): RunResult {
  const { tally, pipeline } = context;
  const { listed, added, updated, unchanged, deleted, failed } = tally;
  const withheld = tally.withheld.reduce((sum, { count }) => sum + count, 0);
  const [status, exitCode] = verdict(context);
  const error =
    context.fatal ??
    context.lost ??
    (status === "refused" ? withheldFault(tally.withheld) : undefined);
  const summary: RunSummary = {
    pipeline: pipeline.name,
    run: id,
    status,
    documents: { listed, added, updated, unchanged, deleted, withheld, failed },
    chunks: { total: tally.chunks, embedded: tally.embedded, cached: tally.cached },
    tokens: tally.tokens,
    ...measured(context.meter.read()),
    sinks: Object.fromEntries(tally.sinks),
    failures: tally.failures,
    withheld: tally.withheld,
    duration_ms: Math.round(durationMs),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
  return { summary, exitCode };
}

function verdict(context: RunContext): [RunStatus, ExitCode] {
  const { tally, fatal, lost } = context;
  // After a request to stop, a component that needs patience is not waited for.
  const impatient = context.interrupted && fatal?.retry === "later";
  if (fatal !== undefined && !impatient) {
    const code = exitCodeOf(fatal);
    return [code === exitCodes.refused ? "refused" : "failed", code];
  }
  if (context.signal.aborted || (context.interrupted && context.options.follow !== true)) {
    return ["interrupted", exitCodes.interrupted];
  }
  if (lost !== undefined) return ["failed", exitCodeOf(lost)];
  if (tally.withheld.length > 0) return ["refused", exitCodes.refused];
  if (tally.openFailures > 0) return ["partial", exitCodes.failedDocuments];
  return ["succeeded", exitCodes.done];
}

async function record(context: RunContext, row: RunRow, summary: RunSummary): Promise<void> {
  if (context.session.lost.aborted) return;
  const { id, startedAt, endedAt } = row;
  const { status } = summary;
  const json = JSON.parse(JSON.stringify(summary)) as JsonObject;
  const ended = { id, startedAt, endedAt, status, summary: json };
  await context.session.commit([{ kind: "run", row: ended }]).catch((error: unknown) => {
    // A full disk: the run is told on the terminal, its history has a gap.
    if (!isFault(error)) throw error;
  });
}

function neverStarted(pipeline: Pipeline, id: string, fault: FaultLike): RunResult {
  const exitCode = exitCodeOf(fault);
  const stopped = exitCode === exitCodes.interrupted ? "interrupted" : "failed";
  const summary: RunSummary = {
    pipeline: pipeline.name,
    run: id,
    status: exitCode === exitCodes.refused ? "refused" : stopped,
    documents: {
      listed: 0,
      added: 0,
      updated: 0,
      unchanged: 0,
      deleted: 0,
      withheld: 0,
      failed: 0,
    },
    chunks: { total: 0, embedded: 0, cached: 0 },
    tokens: 0,
    sinks: {},
    failures: [],
    withheld: [],
    duration_ms: 0,
    error: { code: fault.code, message: fault.message },
  };
  return { summary, exitCode };
}
