import type { RunContext } from "./context.ts";
import type { FailureSummary } from "./summary.ts";

/**
 * Documents that failed for a passing reason and are tried again before the run ends; counted only then. Bounded: many
 * passing failures of one component end in that component being given up.
 */
export class PendingFailures {
  readonly #context: RunContext;
  readonly #failures = new Map<string, FailureSummary>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  add(failure: FailureSummary): void {
    this.#failures.set(failure.document, failure);
  }

  /** Forgets a failure because the document is tried again; tells whether it was pending. */
  take(document: string): boolean {
    return this.#failures.delete(document);
  }

  /** Counts what is left as failed. */
  finish(): void {
    for (const failure of this.#failures.values()) {
      this.#context.tally.openFailures += 1;
      this.#context.emit({ kind: "document-failed", failure, known: true });
    }
    this.#failures.clear();
  }
}
