import type { FailureRow, PlaceLoad } from "../contracts/index.ts";

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
  /** Chunks that the cache was asked for; not there without a cache. `hit_rate` is 0 to 1. */
  readonly cache?: { readonly hits: number; readonly misses: number; readonly hit_rate?: number };
  /** How embedding went; not there when the model was not asked for a document. */
  readonly embedding?: EmbeddingSummary;
  /** For how long the main thread was blocked; not there when nobody watched it. */
  readonly event_loop?: {
    readonly delay_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  };
  /** The GPUs of this machine as they were last seen; not there when nobody watched them. */
  readonly gpus?: readonly GpuSummary[];
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

export interface EmbeddingSummary {
  /** Calls of the embedder that brought vectors. */
  readonly calls: number;
  /** Milliseconds in which a call was under way; the rates are those of this time. */
  readonly busy_ms: number;
  readonly texts_per_second: number;
  readonly tokens_per_second: number;
  readonly latency_ms: LatencySummary;
  /** The longest queue: what waited when a call began. */
  readonly most_waiting: { readonly texts: number; readonly tokens: number };
  /** Calls that were made again, and what failed, by fault code. */
  readonly retries: number;
  readonly errors: Readonly<Record<string, number>>;
  /** How full batches were by tokens or by texts, and what share of all tokens was padding; 0 to 1. */
  readonly batch_fill?: number;
  readonly padding?: number;
  /** Each device or server; empty when the embedder does not tell. */
  readonly places: readonly PlaceSummary[];
}

/** What one device or server did for the run. */
export interface PlaceSummary {
  readonly place: string;
  readonly batches: number;
  readonly texts: number;
  readonly tokens: number;
  readonly batch_fill?: number;
  readonly padding?: number;
  readonly latency_ms: LatencySummary;
  readonly errors: Readonly<Record<string, number>>;
  /** How many batches there might be at once in the end. */
  readonly window: number;
  readonly ejected: boolean;
  /** What a server said of its own load when it was last asked. */
  readonly load?: PlaceLoad;
}

interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface GpuSummary {
  readonly gpu: string;
  readonly name: string;
  readonly memory_used_bytes: number;
  readonly memory_total_bytes: number;
  readonly utilization?: number;
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
