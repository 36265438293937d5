import type { FieldType, VectorRecord } from "./chunk.ts";
import type { FaultLike } from "./fault.ts";
import type { JsonObject } from "./json.ts";
import type { Component } from "./stages.ts";

export type Metric = "cosine" | "dot" | "euclidean";

/** Which embedding space a collection holds, and which pipelines write to it. Stored with the collection. */
export interface CollectionMarker {
  /** The layout of this marker. */
  readonly version: 1;
  /** A UUID made with the marker: a dropped and recreated collection has another one. */
  readonly incarnation: string;
  /** The hash that names the embedding space, and what it is made of, for messages. */
  readonly space: { readonly hash: string; readonly model: string };
  readonly dimension: number;
  /** The probe vectors' first `dimension` numbers, base64 of little-endian float32, joined in order. */
  readonly probe: string;
  /** By pipeline name: which state wrote last, and the sequence number of its last writing run. */
  readonly pipelines: { readonly [pipeline: string]: PipelineMark };
}

export interface PipelineMark {
  readonly stateId: string;
  readonly runSeq: number;
}

/** Live truth about a collection. */
export interface CollectionDescription {
  /** The length of the vectors; undefined when the store cannot tell (an empty collection without a fixed schema). */
  readonly dimension?: number;
  /** Undefined when the store decides at query time. */
  readonly metric?: Metric | "other";
  /** What the store calls a metric that is another one; for messages. */
  readonly metricName?: string;
  readonly elementType:
    | "float32"
    | "float16"
    | "bfloat16"
    | "int8"
    | "binary"
    | "sparse"
    | "multivector";
  /** All records, also others'. */
  readonly records: number;
  readonly marker?: CollectionMarker;
  /** Why records of this pipeline do not fit the live schema, one sentence each; empty when they fit. */
  readonly misfits: readonly string[];
}

/** What is needed to create a collection. */
export interface CollectionSpec {
  readonly dimension: number;
  readonly metric: Metric;
  /** Declared metadata fields with their types. */
  readonly fields: Readonly<Record<string, FieldType>>;
}

export interface SinkLimits {
  readonly operationsPerWrite: number;
  readonly bytesPerWrite: number;
  readonly concurrentWrites: number;
  /** A write whose outcome is unknown cannot land later than this after it began, nor after the process died. */
  readonly writeHorizonMs: number;
}

/** An operation of a write. No two operations of one write have the same id. */
export type WriteOperation =
  | { readonly kind: "upsert"; readonly record: VectorRecord }
  | { readonly kind: "delete"; readonly id: string };

/**
 * What the store needs to be asked to see a write, and all that the same collection acknowledged before it; opaque to
 * the engine, which keeps it in the state.
 */
export type VisibilityToken = JsonObject;

export interface WriteOutcome {
  /** Operations that did not take effect, by record id; the others did, durably. */
  readonly failed: ReadonlyMap<string, FaultLike>;
  /** Left out where reads see a write once it is acknowledged. */
  readonly visible?: VisibilityToken;
}

/** What `scan` and `read` tell of a stored record besides its vector. */
export interface RecordHeader {
  readonly id: string;
  readonly document: string;
  readonly source: string;
  readonly fingerprint: string;
  readonly revision: string;
}

export interface StoredRecord extends RecordHeader {
  readonly pipeline: string;
  readonly text?: string;
  readonly title?: string;
  readonly uri?: string;
  readonly headings?: readonly string[];
  readonly page?: number;
  readonly fields: JsonObject;
  readonly metadata: JsonObject;
  /** Present when vectors were asked for; as stored, whatever its length. */
  readonly vector?: Float32Array;
}

/** One portable filter form: all conditions must hold. A list value means "any of". */
export type Filter = readonly FilterCondition[];

export interface FilterCondition {
  /** A fixed field (`document`, `source`, `title`, `uri`, `pipeline`) or a declared metadata field. */
  readonly field: string;
  readonly operator: "=" | "!=" | "<" | "<=" | ">" | ">=" | "in";
  readonly value: string | number | boolean | readonly (string | number | boolean)[];
}

export interface SearchRequest {
  /** Exactly the collection's dimension long, normalised. */
  readonly vector: Float32Array;
  readonly k: number;
  readonly filter?: Filter;
}

export interface SearchHit {
  /** Larger is nearer; cosine similarity for cosine collections. */
  readonly score: number;
  readonly record: StoredRecord;
}

/** An open collection. Methods may be called concurrently up to `limits.concurrentWrites`. */
export interface Collection {
  readonly limits: SinkLimits;
  /** The live dimension. */
  readonly dimension: number;
  /**
   * Applies operations; resolves when they are durable. Upserts are idempotent by id; deletes of absent ids succeed.
   * Failures of single operations are reported by id in `failed`, never by position. A rejection means that nothing is
   * known of any operation (`ambiguous`) or that none took effect. Refuses vectors of another length than `dimension`.
   * No retries inside.
   */
  write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Resolves when reads see what the token stands for, also a token that another process was given. Called at the end of
   * a run and before `verify` reads. Rejects with a fault that says `later` when that takes too long.
   */
  waitVisible?(token: VisibilityToken, signal: AbortSignal): Promise<void>;
  /** Those of the ids that exist, in any order. */
  read(
    ids: readonly string[],
    options: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]>;
  count(filter: Filter | undefined, signal: AbortSignal): Promise<number>;
  /** Pages of headers of all records of one pipeline, each exactly once, in any order; bounded memory. */
  scan(
    options: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncIterable<readonly StoredRecord[]>;
  search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchHit[]>;
  /** Replaces the marker, durably. */
  setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void>;
  /** Housekeeping after many writes (compaction); may do nothing. */
  optimize?(signal: AbortSignal): Promise<void>;
  /** Bytes that one operation weighs in a write, for batching; an upper estimate. */
  sizeOf(operation: WriteOperation): number;
}

/** Other names of collections, where a store has them: a change of one takes effect at once for all readers. */
export interface CollectionAliases {
  /** All aliases of the sink's database, with the collections they name. */
  list(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Makes the alias name the collection from now on, whether or not it named another one before. */
  point(alias: string, collection: string, signal: AbortSignal): Promise<void>;
  /** Removes the alias; succeeds when there is none. */
  remove(alias: string, signal: AbortSignal): Promise<void>;
}

/** A vector store's collection, existing or not. */
export interface Sink extends Component {
  /** Store, database, collection and namespace, without secrets; for people and messages. */
  readonly address: string;
  /** Names what shapes a stored record (`fields`, `omit`); a change rewrites records without embedding. */
  readonly shape: string;
  /** How the collection is to be created, from configuration. */
  readonly createMetric: Metric;
  /** Live truth, never cached; undefined when the collection does not exist. */
  describe(signal: AbortSignal): Promise<CollectionDescription | undefined>;
  /** Creates the collection; fails if it exists. */
  create(spec: CollectionSpec, signal: AbortSignal): Promise<Collection>;
  /**
   * Opens the existing collection. `agreed` is the dimension that was decided, for stores that cannot tell the one of an
   * empty collection.
   */
  open(signal: AbortSignal, agreed?: number): Promise<Collection>;
  /** Where the store has aliases. */
  readonly aliases?: CollectionAliases;
}
