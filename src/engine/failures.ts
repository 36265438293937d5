import type { DocumentKey, DocumentRow, FailureRow, FaultLike } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { RunContext } from "./context.ts";
import type { FailureSummary } from "./summary.ts";

/** A document's name in messages. */
export function nameOf(key: DocumentKey): string {
  return `${key.source}:${key.id}`;
}

/** Which stage a fault comes from, by its code. */
export function stageOf(fault: FaultLike): FailureRow["stage"] {
  const [area] = fault.code.split(".");
  if (area === "source") return "read";
  if (area === "parse" || area === "chunk" || area === "embed") return area;
  return "write";
}

export function summaryOf(
  key: DocumentKey,
  fault: { readonly code: string; readonly message: string },
  stage: FailureRow["stage"],
): FailureSummary {
  return { document: nameOf(key), stage, code: fault.code, message: fault.message };
}

/** The failure of a document that waits until an earlier write can no longer land. */
export function deferredSummary(key: DocumentKey): FailureSummary {
  const message = `An earlier write of \`${nameOf(key)}\` may still land; it is written again by a later run.`;
  return summaryOf(key, new Fault("sink.timeout", message, { ambiguous: true }), "write");
}

/** The dead letter of a document that failed. A passing fault keeps the document owed, so that it is looked up again. */
export function deadLetter(
  { clock, session, ledger }: RunContext,
  options: {
    readonly row: DocumentRow | undefined;
    readonly fault: FaultLike;
    readonly stage: FailureRow["stage"];
    readonly revision: string;
    readonly recipe: string;
    /** Trying again may help another sink, whatever the fault says. */
    readonly passing?: boolean;
  },
): { readonly failure: FailureRow; readonly owed: boolean } {
  const { row, fault, stage, revision, recipe, passing = false } = options;
  const before = row?.failure;
  const same = before?.revision === revision && before.recipe === recipe;
  const outcome = ledger.outcomeOf(row);
  // Tried twice in one run is one attempt.
  const tried = outcome === "passing" || outcome === "failed" ? 0 : 1;
  const now = clock.now();
  // A fault that splitting could not cure, of a single item, will come again.
  const retry = fault.retry === "later" || passing ? "later" : "never";
  const failure: FailureRow = {
    stage,
    code: fault.code,
    message: fault.message,
    retry,
    scope: fault.scope,
    revision,
    recipe,
    attempts: same ? before.attempts + tried : 1,
    since: before?.since ?? session.fence,
    firstAt: same ? before.firstAt : now,
    lastAt: now,
    accepted: same && before.accepted,
  };
  return { failure, owed: retry === "later" };
}
