import type {
  Collection,
  CollectionMarker,
  FaultLike,
  Filter,
  SearchHit,
  SearchRequest,
  SinkLimits,
  StoredRecord,
  VectorRecord,
  VisibilityToken,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { deleteLast } from "../../../src/records/delete-last.ts";
import type { Batch } from "../../../src/records/sort-operations.ts";
import type { CollectionOptions } from "./collection-options.ts";
import { completeSchema } from "./complete-schema.ts";
import { toObject } from "./encode.ts";
import { Incarnation } from "./incarnation.ts";
import { faultsOf } from "./object-faults.ts";
import { waitIndexed } from "./indexing.ts";
import type { LiveSchema } from "./live-schema.ts";
import { writeMarks } from "./marker.ts";
import { isUuid, prepare, sizeOf } from "./operations.ts";
import { countRecords, readRecords, scanRecords, searchRecords } from "./reading.ts";

/**
 * The server indexes a batch with all of its cores, so larger or more batches gained nothing; smaller ones are sooner
 * acknowledged, and stay far from the time limit on a server that is slow.
 */
const operationsPerWrite = 250;
const bytesPerWrite = 4 * 1024 * 1024;
const concurrentWrites = 4;
/**
 * What a request may still do after it was given up. The server is told the deadline, gets to know when a connection
 * ends, and looks for both before every object of a batch.
 */
const lateMs = 5_000;

/** An open collection, or a tenant of one. */
export class WeaviateCollection implements Collection {
  readonly limits: SinkLimits;
  readonly dimension: number;
  #options: CollectionOptions;
  readonly #incarnation: Incarnation;
  #completing: Promise<LiveSchema> | undefined;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.dimension = options.dimension;
    this.#incarnation = new Incarnation(options);
    this.limits = {
      operationsPerWrite,
      bytesPerWrite: Math.min(bytesPerWrite, Math.floor(options.messageBytes * 0.9)),
      concurrentWrites,
      writeHorizonMs: options.server.options.timeoutMs + lateMs,
    };
  }

  sizeOf(operation: WriteOperation): number {
    return sizeOf(operation);
  }

  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    signal.throwIfAborted();
    const batch = this.#prepare(operations);
    if (batch.upserts.length === 0 && batch.deletes.length === 0) return { failed: batch.failed };
    await this.#complete(signal);
    await this.#incarnation.check(signal);
    const failed = new Map([
      ...batch.failed,
      ...(await this.#upsert(batch.upserts, signal)),
      ...(await deleteLast(batch.deletes, { upserted: batch.upserts.length > 0, signal }, () =>
        this.#delete(batch.deletes, signal),
      )),
    ]);
    const written = batch.upserts.map(({ id }) => id);
    await this.#incarnation.checkAfter(written, signal);
    return { failed, visible: {} };
  }

  /** The faults of single records. Rejects when the server says of one what may hold for all. */
  async #upsert(
    records: readonly VectorRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, FaultLike>> {
    if (records.length === 0) return new Map();
    const { objects, schema, server } = this.#options;
    const batch = records.map((record) => toObject(record, schema.columns));
    const errors = await objects.put("written", batch, signal);
    return faultsOf(records, errors, server.failed("written"));
  }

  async #delete(ids: readonly string[], signal: AbortSignal): Promise<WriteOutcome["failed"]> {
    const { objects, server } = this.#options;
    const left = await objects.delete(ids, signal);
    if (left.length === 0) return new Map();
    const fault = new Fault(
      "sink.not-ready",
      `The collection ${server.options.place.shown} cannot be written: the server did not delete ${left.length} of ` +
        `${ids.length} records. Look whether one of its shards is read-only.`,
    );
    return new Map(left.map((id) => [id, fault]));
  }

  async waitVisible(_: VisibilityToken, signal: AbortSignal): Promise<void> {
    await waitIndexed(this.#options, signal);
  }

  async read(
    ids: readonly string[],
    { vectors }: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    signal.throwIfAborted();
    const unique = new Set(ids.filter((id) => isUuid(id)));
    return readRecords(this.#options, [...unique], vectors, signal);
  }

  count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    return countRecords(this.#options, filter, signal);
  }

  scan(
    { pipeline, vectors = false }: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    return scanRecords(this.#options, pipeline, vectors, signal);
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchHit[]> {
    return searchRecords(this.#options, request, signal);
  }

  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#complete(signal);
    const { objects, seen, server } = this.#options;
    await writeMarks(objects, marker, seen.marker, server.failed("marked"), signal);
    this.#incarnation.marked(marker);
  }

  /** Once, before the first write: adds properties that the collection can get. */
  async #complete(signal: AbortSignal): Promise<void> {
    const { schema, server, wishes } = this.#options;
    this.#completing ??= completeSchema(server, schema, wishes, signal);
    try {
      this.#options = { ...this.#options, schema: await this.#completing };
    } catch (error) {
      this.#completing = undefined;
      throw error;
    }
  }

  #prepare(operations: readonly WriteOperation[]): Batch {
    const { dimension, declared, server, schema } = this.#options;
    // A property that is missing yet is made as a date.
    const asNumbers = schema.columns.filter(({ type }) => type !== "date");
    const dateFields = new Set(
      Object.keys(declared).filter(
        (field) =>
          declared[field] === "timestamp" &&
          !asNumbers.some(({ column }) => column.field === field),
      ),
    );
    const { shown } = server.options.place;
    return prepare(operations, { dimension, declared, dateFields, shown });
  }
}
