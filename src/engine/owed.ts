import type { DocumentRow, LookupEvent } from "../contracts/index.ts";
import { abortable } from "../flow/index.ts";
import { waitForHorizon } from "./ingest.ts";
import type { Intake } from "./intake.ts";
import type { PipelineSource } from "./pipeline.ts";
import type { Run } from "./run-parts.ts";
import type { Target } from "./targets.ts";

/** Documents looked up at once. */
const lookupAtOnce = 100;

/**
 * Looks up again every document of a source that some target is owed, waits until earlier writes can no longer land,
 * and settles it. Goes on as long as that makes progress.
 */
export async function settleOwed(run: Run, source: PipelineSource, intake: Intake): Promise<void> {
  const { context } = run;
  const { session, pipeline, stopping } = context;
  let before = Infinity;
  for (let round = 0; round < pipeline.policy.retry.attempts; round += 1) {
    const owed = await session.count({ source: source.name, owed: true, gone: false });
    if (owed === 0 || owed >= before || stopping.aborted) return;
    if (run.targets.every((target) => target.fault !== undefined)) return;
    before = owed;
    const pages = session.pages({
      source: source.name,
      owed: true,
      gone: false,
      pageSize: lookupAtOnce,
    });
    for await (const page of pages) {
      if (stopping.aborted) return;
      const rows = page.filter((row) => isWorthwhile(run, row));
      if (rows.length === 0) continue;
      await waitUntilWritable(run, rows);
      const ids = rows.map((row) => row.id);
      const found = source.source.lookup(ids, context.signal);
      const events: LookupEvent[] = [];
      for await (const event of abortable(found, context.signal)) events.push(event);
      await intake.offer(events);
      await intake.queue.settled();
    }
  }
}

/** Whether looking a document up once more may help, and is wanted. */
function isWorthwhile({ context, targets }: Run, row: DocumentRow): boolean {
  const outcome = context.ledger.outcomeOf(row);
  // A trial goes on with what it took up, and with nothing else.
  if (context.options.limit !== undefined && outcome === undefined) return false;
  if (outcome !== "failed" || targets.every(isActive)) return true;
  // A sink that was given up does not get it now either.
  if (row.failure !== undefined) return row.failure.stage !== "write";
  return targets.some((target) => {
    return isActive(target) && row.targets.get(target.id)?.status === "begun";
  });
}

function isActive({ fault }: Target): boolean {
  return fault === undefined;
}

async function waitUntilWritable(run: Run, rows: readonly DocumentRow[]): Promise<void> {
  const { clock, stopping } = run.context;
  const wait = Math.max(
    0,
    ...rows.map((row) => waitForHorizon(run, { source: row.source, id: row.id }, row)),
  );
  if (wait === 0) return;
  run.context.emit({ kind: "waiting", reason: "write-horizon", milliseconds: wait });
  await clock.sleep(wait, stopping).catch(() => undefined);
}
