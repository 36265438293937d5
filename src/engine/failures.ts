import type {
  DocumentKey,
  DocumentRow,
  FailureRow,
  FaultLike,
  Mutation,
} from "../contracts/index.ts";
import type { FailureSummary } from "./summary.ts";

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
  return { document: `${key.source}:${key.id}`, stage, code: fault.code, message: fault.message };
}

/** The dead letter of a document that failed. A passing fault keeps the document owed, so that it is looked up again. */
export function deadLetter(options: {
  readonly key: DocumentKey;
  readonly row: DocumentRow | undefined;
  readonly fault: FaultLike;
  readonly stage: FailureRow["stage"];
  readonly revision: string;
  readonly recipe: string;
  readonly now: number;
  /** The `fence` of the session. */
  readonly session: number;
  /** Trying again may help another sink, whatever the fault says. */
  readonly passing?: boolean;
}): Mutation & { readonly kind: "document" } {
  const { key, row, fault, revision, recipe, now, session } = options;
  const before = row?.failure;
  const same = before?.revision === revision && before.recipe === recipe;
  const failure: FailureRow = {
    stage: options.stage,
    code: fault.code,
    message: fault.message,
    // A fault that splitting could not cure, of a single item, will come again.
    retry: fault.retry === "later" || options.passing === true ? "later" : "never",
    scope: fault.scope,
    revision,
    recipe,
    attempts: same ? before.attempts + 1 : 1,
    since: before?.since ?? session,
    firstAt: same ? before.firstAt : now,
    lastAt: now,
    accepted: same && before.accepted,
  };
  return { kind: "document", key, set: { failure, owed: failure.retry === "later" } };
}
