import type { FailureRow } from "../contracts/index.ts";

export type RunStatus = "succeeded" | "partial" | "refused" | "failed" | "interrupted";

/** What a run did; printed by `run --json` under the same names in snake_case where they differ. */
export interface RunSummary {
  readonly pipeline: string;
  readonly run: string;
  readonly status: RunStatus;
  readonly documents: DocumentCounts;
  readonly chunks: { readonly total: number; readonly embedded: number; readonly cached: number };
  /** Tokens embedded. */
  readonly tokens: number;
  readonly sinks: Readonly<Record<string, SinkCounts>>;
  /** At most 100; `documents.failed` counts all. */
  readonly failures: readonly FailureSummary[];
  readonly duration_ms: number;
  /** Deletions withheld, by source; empty when there are none. */
  readonly withheld: readonly WithheldSummary[];
  /** Why the run did not succeed, when it is not about single documents. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Every listed document ends as exactly one of added, updated, unchanged or failed; the sum is `listed`. */
export interface DocumentCounts {
  readonly listed: number;
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Not listed any more, and removed from every sink. */
  readonly deleted: number;
  /** Not listed any more, but kept because the guard withheld the deletion. */
  readonly withheld: number;
  readonly failed: number;
}

export interface SinkCounts {
  readonly dimension: number;
  readonly upserted: number;
  readonly deleted: number;
  readonly failed: number;
}

export interface FailureSummary {
  readonly document: string;
  readonly stage: FailureRow["stage"];
  readonly code: string;
  readonly message: string;
}

export interface WithheldSummary {
  readonly source: string;
  readonly count: number;
  /** How many deletions the guard would allow within 24 hours. */
  readonly allowed: number;
  /** Five document ids. */
  readonly examples: readonly string[];
  /** `fraction`, `identity` (root changed) or `removed` (source no longer in the file). */
  readonly reason: "fraction" | "identity" | "removed";
}
