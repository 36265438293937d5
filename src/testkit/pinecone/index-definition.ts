import type { JsonObject } from "../../contracts/index.ts";

export type PineconeMetric = "cosine" | "dotproduct" | "euclidean";

/** A field of an index's schema. Classic indexes have reserved ones only. */
export type SchemaField =
  | {
      readonly type: "dense_vector";
      readonly dimension: number;
      readonly metric: PineconeMetric;
      readonly description?: string;
    }
  | { readonly type: "sparse_vector"; readonly description?: string }
  | {
      readonly type: "string";
      readonly full_text_search: JsonObject;
      readonly description?: string;
    };

export interface IndexDefinition {
  readonly name: string;
  readonly cloud: string;
  readonly region: string;
  /**
   * Classic indexes have the reserved fields `_values` and `_sparse_values` alone, and are served by the vectors API.
   * All others are served by the documents API, which the emulator does not have.
   */
  readonly fields: Readonly<Record<string, SchemaField>>;
  /** Metadata fields that are indexed, when it was made with a list of them. */
  readonly filterable?: readonly string[];
  readonly cmekId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly deletionProtection: "enabled" | "disabled";
}

export const reservedFields = { dense: "_values", sparse: "_sparse_values" } as const;

/** The metric and the length of the dense vectors; undefined for sparse and text-only indexes. */
export function denseField({ fields }: IndexDefinition) {
  return Object.values(fields).find((field) => field.type === "dense_vector");
}

/** Whether the vectors API serves it. */
export function isClassic({ fields }: IndexDefinition): boolean {
  return Object.keys(fields).every((name) => name.startsWith("_"));
}
