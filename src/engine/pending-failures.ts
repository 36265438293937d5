import type { RunContext } from "./context.ts";
import { summaryOf } from "./failures.ts";
import type { FailureSummary } from "./summary.ts";

/**
 * Documents that failed for a passing reason and are tried again before the run ends; counted only then. Bounded: many
 * passing failures of one component end in that component being given up.
 */
export class PendingFailures {
  readonly #context: RunContext;
  readonly #failures = new Map<string, FailureSummary>();
  /** Documents whose failure this run has counted. */
  readonly #told = new Set<string>();

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

  /** Whether this run has counted the document as failed. */
  hasTold(document: string): boolean {
    return this.#told.has(document);
  }

  /** Counts a failure for good. `open`: the user has not accepted it. */
  count(
    failure: FailureSummary,
    options: { readonly known: boolean; readonly open: boolean },
  ): void {
    this.#told.add(failure.document);
    if (options.open) this.#context.tally.openFailures += 1;
    this.#context.emit({ kind: "document-failed", failure, known: options.known });
  }

  /** Dead letters stand also when nothing was listed about their documents in this run. */
  async countStanding(source: string): Promise<void> {
    for await (const page of this.#context.session.pages({ source, failed: true, gone: false })) {
      for (const row of page) {
        const name = `${row.source}:${row.id}`;
        if (row.failure === undefined || this.#told.has(name) || this.#failures.has(name)) continue;
        this.#context.tally.listed += 1;
        const failure = summaryOf(row, row.failure, row.failure.stage);
        this.count(failure, { known: true, open: !row.failure.accepted });
      }
    }
  }

  /** Counts what is left as failed. */
  finish(): void {
    for (const failure of this.#failures.values()) {
      this.count(failure, { known: true, open: true });
    }
    this.#failures.clear();
  }
}
