import type { DocumentKey, DocumentRow, Mutation } from "../contracts/index.ts";
import { join } from "../flow/index.ts";
import { applyToTarget } from "./apply.ts";
import { guardedDocuments } from "./baseline.ts";
import type { DocumentQueue } from "./document-queue.ts";
import { summaryOf } from "./failures.ts";
import { guardDeletions, guardWindowMs } from "./guard.ts";
import { waitForHorizon } from "./ingest.ts";
import type { Run } from "./run-parts.ts";

export interface ReapOptions {
  readonly name: string;
  /** Why absence proves nothing at this source, if so. */
  readonly untrusted: "identity" | "removed" | undefined;
  /** Whether what the source said in this generation still holds for a document marked as gone. */
  readonly isVouched: (row: DocumentRow) => boolean;
  readonly queue: DocumentQueue;
}

/**
 * Deletes the documents of a source that are gone, if the guard lets them go; otherwise withholds all of them. What
 * was let go once (gone and owed) is not decided on again. Tells whether any were withheld.
 */
export async function reap(run: Run, options: ReapOptions): Promise<boolean> {
  const { context } = run;
  const { session, pipeline, clock } = context;
  const query = { source: options.name, gone: true };
  let wanted = 0;
  let letGo = 0;
  const examples: string[] = [];
  for await (const page of session.pages(query)) {
    for (const row of page) {
      if (!options.isVouched(row) || !heldSomewhere(run, row)) continue;
      if (row.owed) letGo += 1;
      else wanted += 1;
      if (row.owed) continue;
      if (examples.length < 5) examples.push(`${row.source}:${row.id}`);
    }
  }
  const since = clock.now() - guardWindowMs;
  const targets = run.targets.map(({ id }) => id);
  const indexed = wanted === 0 ? 0 : await guardedDocuments(session, options.name, targets);
  const decision = guardDeletions({
    indexed: Math.max(0, indexed - letGo),
    deletedInWindow: await session.deletionsSince(options.name, since),
    wanted,
    maxFraction: pipeline.policy.deletions.maxFraction,
    untrusted: options.untrusted,
    userAllows: context.deletionsAllowed,
  });
  const withheld = decision.kind === "withhold";
  if (withheld) {
    const { allowed, reason } = decision;
    const summary = { source: options.name, count: wanted, allowed, examples, reason };
    context.emit({ kind: "deletions-withheld", withheld: summary });
  } else context.tally.forgetWithheld(options.name);
  const byUser = decision.kind === "delete" && decision.by === "user";
  if (byUser) context.useAllowance(wanted);
  for await (const page of session.pages(query)) {
    if (context.stopping.aborted) break;
    for (const row of page.filter(options.isVouched)) {
      if (withheld && !row.owed) continue;
      const task = (): Promise<void> => reapDocument(run, row, !byUser);
      options.queue.add(row.id, task);
    }
    await options.queue.settled();
  }
  return withheld;
}

/** Whether an active target holds anything of the document. */
function heldSomewhere(run: Run, row: DocumentRow): boolean {
  return run.targets.some((target) => row.targets.has(target.id));
}

async function reapDocument(run: Run, listed: DocumentRow, byGuard: boolean): Promise<void> {
  const { context } = run;
  const { session, clock } = context;
  const key: DocumentKey = { source: listed.source, id: listed.id };
  const [row] = await session.lookup([key]);
  if (row?.gone !== true) return;
  const wait = waitForHorizon(run, key, row);
  if (wait > 0) {
    context.emit({ kind: "waiting", reason: "write-horizon", milliseconds: wait });
    await clock.sleep(wait, context.stopping).catch(() => undefined);
    if (context.stopping.aborted) return;
  }
  const held = run.targets.filter((target) => row.targets.has(target.id));
  if (held.length > 0 && !row.owed) {
    // Let go, and charged for, before the first delete: whatever happens now, once and not again.
    const go: Mutation = { kind: "document", key, set: { owed: true } };
    const count = { kind: "deletions", source: key.source, at: clock.now(), count: 1 } as const;
    await session.commit(byGuard ? [go, count] : [go], { durable: false });
  }
  const faults = await join(
    held.map((target) => applyToTarget(run, target, key, row.targets.get(target.id), undefined)),
  );
  const fault = faults.find((found) => found !== undefined);
  if (fault !== undefined) return context.ledger.undeleted(key, summaryOf(key, fault, "write"));
  // A sink that is not in this run may still hold it; the row then stays, gone and owed.
  const elsewhere = row.targets.size > held.length;
  if (!elsewhere) await session.commit([{ kind: "forget", key }], { durable: false });
  if (held.length === 0) return;
  context.emit({
    kind: "document-settled",
    document: `${key.source}:${key.id}`,
    outcome: "deleted",
  });
}
