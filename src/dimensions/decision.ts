import type { CollectionDescription, EmbeddingModel, Metric } from "../contracts/index.ts";
import type { FaultCodeName } from "../faults/index.ts";

/** What is known of one sink before anything is written. */
export interface DimensionInput {
  /** The sink's name in the file. */
  readonly sink: string;
  readonly address: string;
  readonly pipeline: string;
  readonly model: EmbeddingModel;
  /** The sink's `dimension`. */
  readonly configured: "auto" | number;
  /** What the store says now; undefined when there is no such collection. */
  readonly live: CollectionDescription | undefined;
  /** Names the embedding space that this run would write. */
  readonly spaceHash: string;
  /** The sink's `create.metric`; only used when the store does not decide otherwise. */
  readonly createMetric: Metric;
  /** Set by `sluice adopt`, which is the remedy for records without a marker. */
  readonly adopting?: boolean;
}

/** What to do with the sink's collection, or why nothing may be done. */
export type DimensionDecision = DimensionAgreement | DimensionRefusal;

export interface DimensionAgreement {
  readonly kind: "create" | "open";
  /** The length of every vector written; the live collection's, when it has one. */
  readonly dimension: number;
  readonly metric: Metric;
  /** Whether vectors are shorter than the model's own. */
  readonly sliced: boolean;
  /** What the store keeps; the adapter converts from float32. */
  readonly elementType: "float32" | "float16" | "bfloat16";
}

export interface DimensionRefusal {
  readonly kind: "refuse";
  readonly code: FaultCodeName & `refused.${string}`;
  /** What does not fit: the received value beside the expected one. */
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
}
