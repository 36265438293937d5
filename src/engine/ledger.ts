import type { CountedRow, DocumentKey, DocumentRow, FailureRow } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { RunContext } from "./context.ts";
import { deferredSummary, nameOf, summaryOf } from "./failures.ts";
import type { FailureSummary } from "./summary.ts";

type Outcome = CountedRow["outcome"];

/** What is committed with a document's row, and what is done once it is committed. */
export interface Entry {
  readonly set: { readonly counted?: CountedRow | undefined };
  readonly enter: () => void;
}

/** What is known of a failure besides its outcome. */
interface EntryOptions {
  /** The dead letter that the document has from now on. */
  readonly failure?: FailureRow | undefined;
  /** Tells of a failure without a dead letter. */
  readonly reason?: FailureSummary;
}

const nothing: Entry = { set: {}, enter: () => undefined };
/** Reasons of passing failures that no dead letter keeps; beyond them, the general reason is told. */
const reasonsAtMost = 100;

/**
 * Counts each document of a run once, by what became of it in the end, however often it is listed. What a document was
 * counted as stands in its row, so that a run of any size holds nothing of it in memory.
 */
export class Ledger {
  readonly #context: RunContext;
  /** Failures that were not there before this run. */
  #newFailures = 0;
  /** Those that may pass, by source. */
  readonly #newPassing = new Map<string, number>();
  /** Sources with documents that failed in passing, and those of them without a dead letter. */
  readonly #passing = new Set<string>();
  readonly #deferred = new Set<string>();
  readonly #reasons = new Map<string, FailureSummary>();
  /** Documents that are gone and could not be deleted, by source. */
  readonly #undeleted = new Map<string, number>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** As what this run has counted the document so far. */
  outcomeOf(row: DocumentRow | undefined): Outcome | undefined {
    const counted = row?.counted;
    return counted?.session === this.#context.session.fence ? counted.outcome : undefined;
  }

  /** Counts a document whose row is still as it was. */
  entry(
    key: DocumentKey,
    row: DocumentRow | undefined,
    outcome: Outcome,
    { failure, reason }: EntryOptions = {},
  ): Entry {
    const before = this.outcomeOf(row);
    if (before !== undefined && outcome === "listed") return nothing;
    const after = outcomeAfter(before, outcome);
    const session = this.#context.session.fence;
    const summary = reason ?? (failure && summaryOf(key, failure, failure.stage));
    const isNews = before !== "failed" || isOther(row?.failure, failure);
    return {
      set: after === before ? {} : { counted: { session, outcome: after } },
      enter: () => {
        this.#note(key, before, row?.failure, -1);
        this.#note(key, after, failure, 1);
        this.#context.tally.move(nameOf(key), before, after);
        if (after === "passing") this.#await(key, failure, summary);
        if (after === "failed" && isNews && summary !== undefined) {
          this.#tell(summary, !this.#isNew(failure));
        }
      },
    };
  }

  /** A document is gone: for this run it was never listed. */
  strike(key: DocumentKey, row: DocumentRow): Entry {
    const before = this.outcomeOf(row);
    if (before === undefined) return nothing;
    return {
      set: { counted: undefined },
      enter: () => {
        this.#note(key, before, row.failure, -1);
        this.#context.tally.move(nameOf(key), before, undefined);
      },
    };
  }

  /** A document that is gone could not be deleted: it stays gone and owed, and the next run deletes it. */
  undeleted(key: DocumentKey, failure: FailureSummary): void {
    this.#undeleted.set(key.source, (this.#undeleted.get(key.source) ?? 0) + 1);
    this.#context.tally.move(nameOf(key), undefined, "failed");
    this.#tell(failure, true);
  }

  /** The deletions of this source are tried again. */
  forgetUndeleted(source: string): void {
    const count = this.#undeleted.get(source) ?? 0;
    this.#undeleted.delete(source);
    this.#context.tally.listed -= count;
    this.#context.tally.failed -= count;
  }

  /** Whether so many documents failed that those of this source which may pass are to be tried again right now. */
  hasTooManyPassing(source: string): boolean {
    const passing = [...this.#newPassing.values()].reduce((sum, count) => sum + count, 0);
    const own = this.#newPassing.get(source) ?? 0;
    return own > 0 && this.#newFailures + passing > this.#failuresAtMost();
  }

  /**
   * What failed in passing and was tried again has failed. With `standing`, so has what failed in an earlier run and was
   * not listed in this one.
   */
  async judge(source: string, { standing }: { readonly standing: boolean }): Promise<void> {
    const { session } = this.#context;
    const isOpen = (row: DocumentRow): boolean => {
      const outcome = this.outcomeOf(row);
      return (
        outcome === "passing" || (standing && row.failure !== undefined && outcome !== "failed")
      );
    };
    const queries = [
      ...(standing || this.#passing.has(source) ? [{ source, failed: true, gone: false }] : []),
      ...(this.#deferred.has(source) ? [{ source, owed: true, gone: false }] : []),
    ];
    for (const query of queries) {
      for await (const page of session.pages(query)) await this.#fail(page.filter(isOpen));
    }
    this.#passing.delete(source);
    this.#deferred.delete(source);
    this.stopOnTooMany();
  }

  /** At the end of a run: counts what is still open, and what the user has accepted. */
  async finish(): Promise<void> {
    const { session, tally } = this.#context;
    for (const source of this.#passing) await this.judge(source, { standing: false });
    let accepted = 0;
    for await (const page of session.pages({ failed: true, gone: false })) {
      accepted += page.filter((row) => {
        return row.failure?.accepted === true && this.outcomeOf(row) === "failed";
      }).length;
    }
    tally.openFailures = tally.failed - accepted;
  }

  /** Stops the run when more documents failed, that did not fail before, than the user wants. */
  stopOnTooMany(): void {
    const context = this.#context;
    if (this.#newFailures <= this.#failuresAtMost() || context.fatal !== undefined) return;
    const { maxDocuments } = context.pipeline.policy.failures;
    const message =
      `${this.#newFailures} documents failed that did not fail before; more than \`failures.max_documents\` ` +
      `(${maxDocuments}, or 1 %) stop the run. Look at \`sluice failures list\`, mend the cause, and run again.`;
    context.fail("failures", new Fault("refused.failures", message));
  }

  #failuresAtMost(): number {
    const { pipeline, tally } = this.#context;
    return Math.max(pipeline.policy.failures.maxDocuments, Math.ceil(tally.listed / 100));
  }

  async #fail(rows: readonly DocumentRow[]): Promise<void> {
    if (rows.length === 0) return;
    const entries = rows.map((row) => {
      const { failure } = row;
      const key = { source: row.source, id: row.id };
      const reason = this.#reasons.get(nameOf(key)) ?? deferredSummary(key);
      this.#reasons.delete(nameOf(key));
      const options = failure === undefined ? { reason } : { failure };
      return { key, entry: this.entry(key, row, "failed", options) };
    });
    await this.#context.session.commit(
      entries.map(({ key, entry }) => ({ kind: "document", key, set: entry.set })),
      { durable: false },
    );
    for (const { entry } of entries) entry.enter();
  }

  #await(
    key: DocumentKey,
    failure: FailureRow | undefined,
    summary: FailureSummary | undefined,
  ): void {
    this.#passing.add(key.source);
    if (failure !== undefined) return;
    this.#deferred.add(key.source);
    if (summary !== undefined && this.#reasons.size < reasonsAtMost) {
      this.#reasons.set(nameOf(key), summary);
    }
  }

  #isNew(failure: FailureRow | undefined): boolean {
    return failure?.since === this.#context.session.fence;
  }

  #note(
    { source }: DocumentKey,
    outcome: Outcome | undefined,
    failure: FailureRow | undefined,
    by: 1 | -1,
  ): void {
    if (!this.#isNew(failure)) return;
    if (outcome === "failed") this.#newFailures += by;
    if (outcome === "passing") {
      this.#newPassing.set(source, (this.#newPassing.get(source) ?? 0) + by);
    }
  }

  #tell(failure: FailureSummary, known: boolean): void {
    this.#context.emit({ kind: "document-failed", failure, known });
  }
}

/** What was added and then changed was added; what was told to have failed is not told to be tried again. */
function outcomeAfter(before: Outcome | undefined, outcome: Outcome): Outcome {
  if (before === "added" && (outcome === "updated" || outcome === "unchanged")) return before;
  if (before === "updated" && outcome === "unchanged") return before;
  if (before === "failed" && outcome === "passing") return before;
  return outcome;
}

/** Whether the dead letter is about another version of the document than the one before. */
function isOther(before: FailureRow | undefined, failure: FailureRow | undefined): boolean {
  if (failure === undefined) return false;
  return before?.revision !== failure.revision || before.recipe !== failure.recipe;
}
