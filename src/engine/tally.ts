import type { CountedRow } from "../contracts/index.ts";
import type { RunEvent } from "./events.ts";
import type { FailureSummary, WithheldSummary } from "./summary.ts";

type Outcome = CountedRow["outcome"];

/** At most this many failures are named in a summary. */
const namedFailures = 100;

/** Adds up what a run does. The one observer that the summary is made from. */
export class Tally {
  listed = 0;
  added = 0;
  updated = 0;
  unchanged = 0;
  deleted = 0;
  failed = 0;
  /** Failures that the user has not accepted; known at the end of the run. */
  openFailures = 0;
  /** Documents taken from the sources, as `RunOptions.limit` counts them. */
  taken = 0;
  chunks = 0;
  embedded = 0;
  cached = 0;
  tokens = 0;
  readonly failures: FailureSummary[] = [];
  readonly withheld: WithheldSummary[] = [];
  readonly sinks = new Map<string, SinkTally>();

  observe(event: RunEvent): void {
    switch (event.kind) {
      case "document-settled":
        // All others are counted by the ledger.
        if (event.outcome === "deleted") this.deleted += 1;
        return;
      case "document-failed":
        this.#forgetFailure(event.failure.document);
        if (this.failures.length < namedFailures) this.failures.push(event.failure);
        return;
      case "chunks-embedded":
        this.embedded += event.count;
        this.tokens += event.tokens;
        return;
      case "chunks-cached":
        this.cached += event.count;
        return;
      case "records-written": {
        const sink = this.sink(event.sink);
        sink.upserted += event.upserted;
        sink.deleted += event.deleted;
        return;
      }
      case "target-opened":
        this.sink(event.sink).dimension = event.dimension;
        return;
      case "deletions-withheld":
        // While following, the deletions of a source are decided on again and again.
        this.forgetWithheld(event.withheld.source);
        this.withheld.push(event.withheld);
        return;
      default:
    }
  }

  /** Moves a document from what it was counted as to what it is now; `undefined` where it is not counted. */
  move(document: string, before: Outcome | undefined, after: Outcome | undefined): void {
    if (before === undefined) this.listed += 1;
    else this.#add(before, -1);
    if (after === undefined) this.listed -= 1;
    else this.#add(after, 1);
    if (before === "failed" && after !== "failed") this.#forgetFailure(document);
  }

  /** What a run took up and was stopped before it came to an end with is left to the next one. */
  putBack(): void {
    this.listed = this.added + this.updated + this.unchanged + this.failed;
  }

  #add(outcome: Outcome, by: 1 | -1): void {
    if (outcome !== "listed" && outcome !== "passing") this[outcome] += by;
  }

  #forgetFailure(document: string): void {
    const index = this.failures.findIndex((failure) => failure.document === document);
    if (index !== -1) this.failures.splice(index, 1);
  }

  /** The deletions of this source are no longer withheld. */
  forgetWithheld(source: string): void {
    const index = this.withheld.findIndex((withheld) => withheld.source === source);
    if (index !== -1) this.withheld.splice(index, 1);
  }

  sink(name: string): SinkTally {
    const known = this.sinks.get(name);
    if (known !== undefined) return known;
    const fresh = { dimension: 0, upserted: 0, deleted: 0, failed: 0 };
    this.sinks.set(name, fresh);
    return fresh;
  }
}

interface SinkTally {
  dimension: number;
  upserted: number;
  deleted: number;
  failed: number;
}
