import { randomUUID } from "node:crypto";
import type {
  Collection,
  CollectionMarker,
  CollectionSpec,
  FieldType,
  JsonObject,
  Sink,
  StoredRecord,
  VectorRecord,
  WriteOperation,
} from "../contracts/index.ts";
import { checkEqual } from "./check.ts";
import type { LawContext, LawHarness } from "./law.ts";

/** Where one collection may live. */
export interface SinkPlace {
  /**
   * Makes another client of the same collection, for records of this pipeline with the fields `lawFields`. The place
   * closes what it made when the law is over.
   */
  connect(pipeline: string): Promise<Sink>;
}

/** How the laws make a sink and break what is behind it. */
export interface SinkHarness<Place extends SinkPlace = SinkPlace> extends LawHarness {
  /** A place without a collection; each call gives another. */
  place(context: LawContext): Promise<Place>;
  /** The dimension of the collections; 8 when left out. At least 3. */
  readonly dimension?: number;
  /** How many operations a law may put in one write to try its limit; 1,000 when left out. */
  readonly largestWrite?: number;
  /** Forgets all clients as the end of the process would; the next `connect` knows only what the store has kept. */
  reopen?(place: Place): Promise<void>;
  /** Drops the collection behind the back of its clients. */
  drop?(place: Place): Promise<void>;
  /** Makes the far end reject operations on these ids, and no others. */
  reject?(place: Place, ids: readonly string[]): Promise<void>;
  /** Makes the far end unreachable. */
  disconnect?(place: Place): Promise<void>;
  /** Puts a collection that was made by something else where the place's collection would be. */
  foreign?(place: Place): Promise<void>;
}

/** The declared metadata fields of the collections that the laws make. */
export const lawFields: Readonly<Record<string, FieldType>> = {
  language: "string",
  year: "integer",
  rating: "float",
  public: "boolean",
  published: "timestamp",
  tags: "string_list",
};

/** An open collection with what a law needs to use it. */
export interface OpenPlace<Place extends SinkPlace = SinkPlace> {
  readonly place: Place;
  readonly sink: Sink;
  readonly collection: Collection;
  readonly dimension: number;
  readonly spec: CollectionSpec;
}

/** Makes a place with an empty collection. */
export async function openPlace<Place extends SinkPlace>(
  harness: SinkHarness<Place>,
  context: LawContext,
): Promise<OpenPlace<Place>> {
  const place = await harness.place(context);
  const sink = await place.connect("law");
  const spec = specOf(harness, sink);
  const collection = await sink.create(spec, context.signal);
  return { place, sink, collection, dimension: spec.dimension, spec };
}

/** How the laws create collections. */
export function specOf(harness: Pick<SinkHarness, "dimension">, sink: Sink): CollectionSpec {
  return { dimension: harness.dimension ?? 8, metric: sink.createMetric, fields: lawFields };
}

/** Writes in as many calls as the limits ask, waits until it is visible, and fails if anything failed. */
export async function writeAll(
  collection: Collection,
  operations: readonly WriteOperation[],
  signal: AbortSignal,
): Promise<void> {
  const { operationsPerWrite } = collection.limits;
  for (let start = 0; start < operations.length; start += operationsPerWrite) {
    const slice = operations.slice(start, start + operationsPerWrite);
    const { failed, visible } = await collection.write(slice, signal);
    checkEqual([...failed.keys()], [], "the ids that a write reports as failed");
    if (visible !== undefined) await collection.waitVisible?.(visible, signal);
  }
}

/** Writes records. */
export async function upsertAll(
  collection: Collection,
  records: readonly VectorRecord[],
  signal: AbortSignal,
): Promise<void> {
  await writeAll(collection, records.map(toUpsert), signal);
}

export function toUpsert(record: VectorRecord): WriteOperation {
  return { kind: "upsert", record };
}

export function toDelete(record: { readonly id: string }): WriteOperation {
  return { kind: "delete", id: record.id };
}

/** A record; `number` makes vector, text and document differ. */
export function makeRecord(
  number: number,
  dimension: number,
  changes: Partial<VectorRecord> = {},
): VectorRecord {
  return {
    id: randomUUID(),
    pipeline: "law",
    document: `docs:page-${number}.md`,
    source: "docs",
    fingerprint: `fingerprint-${number}`,
    revision: `revision-${number}`,
    vector: makeVector(number, dimension),
    text: `Text number ${number}.`,
    headings: ["Guide", `Part ${number}`],
    fields: {},
    metadata: {},
    ...changes,
  };
}

/** Several records with vectors that differ. */
export function makeRecords(
  count: number,
  dimension: number,
  changes: Partial<VectorRecord> = {},
): VectorRecord[] {
  return Array.from({ length: count }, (_, index) => makeRecord(index, dimension, changes));
}

/** A vector of length 1 that differs in direction for every number. */
export function makeVector(number: number, dimension: number): Float32Array {
  const vector = Float32Array.from({ length: dimension }, (_, index) =>
    Math.sin(number * 12.9898 + (index + 1) * 78.233 + number * index * 0.37),
  );
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** A vector between the first two axes; a larger angle is further from the first. */
export function makeAngle(degrees: number, dimension: number): Float32Array {
  const vector = new Float32Array(dimension);
  vector[0] = Math.cos((degrees * Math.PI) / 180);
  vector[1] = Math.sin((degrees * Math.PI) / 180);
  return vector;
}

export function makeMarker(dimension: number, changes: Partial<CollectionMarker> = {}) {
  const marker: CollectionMarker = {
    version: 1,
    incarnation: randomUUID(),
    space: { hash: "a".repeat(64), model: "law/model" },
    dimension,
    probe: Buffer.from(makeVector(1, dimension).buffer).toString("base64"),
    pipelines: { law: { stateId: randomUUID(), runSeq: 1 } },
    ...changes,
  };
  return marker;
}

/** A stored record without what the store may leave out, ordered for comparison. */
export function plainOf(record: StoredRecord | VectorRecord | undefined): JsonObject | undefined {
  if (record === undefined) return undefined;
  const { id, document, source, fingerprint, revision, pipeline, text, title, uri, page } = record;
  const { headings, fields, metadata } = record;
  return {
    id,
    document,
    source,
    fingerprint,
    revision,
    pipeline,
    text: text ?? "",
    headings: [...(headings ?? [])],
    fields,
    metadata,
    ...(title === undefined ? {} : { title }),
    ...(uri === undefined ? {} : { uri }),
    ...(page === undefined ? {} : { page }),
  };
}

/** The record of this id, with its vector. */
export async function readOne(
  collection: Collection,
  id: string,
  signal: AbortSignal,
): Promise<StoredRecord | undefined> {
  const records = await collection.read([id], { vectors: true }, signal);
  checkEqual(records.length <= 1, true, `one id reads as at most one record (${records.length})`);
  return records[0];
}

/** The ids of all records of a pipeline, as often as the scan gives them. */
export async function scanIds(
  collection: Collection,
  pipeline: string,
  signal: AbortSignal,
): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of collection.scan({ pipeline }, signal)) {
    ids.push(...page.map((record) => record.id));
  }
  return ids;
}
