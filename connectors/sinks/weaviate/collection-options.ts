import type { Clock, CollectionMarker, FieldType, Metric } from "../../../src/contracts/index.ts";
import type { LiveSchema, SchemaWishes } from "./live-schema.ts";
import type { Objects } from "./objects.ts";
import type { WeaviateServer } from "./server.ts";

/** What a collection needs to know of its sink. */
export interface CollectionOptions {
  readonly server: WeaviateServer;
  readonly objects: Objects;
  readonly wishes: SchemaWishes;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly clock: Clock;
  readonly dimension: number;
  readonly metric: Metric;
  /** As it was when the collection was opened. */
  readonly schema: LiveSchema;
  /** The marker last seen, also by the sink's `describe`. */
  readonly seen: { marker: CollectionMarker | undefined };
  /** The largest message that the server takes, in bytes. */
  readonly messageBytes: number;
}
