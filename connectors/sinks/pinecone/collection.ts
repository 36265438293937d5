import type {
  Collection,
  CollectionMarker,
  FieldType,
  Filter,
  Metric,
  SearchHit,
  SearchRequest,
  SinkLimits,
  StoredRecord,
  VisibilityToken,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { deleteLast } from "../../../src/records/delete-last.ts";
import { checkFilter } from "../../../src/records/filter.ts";
import type { Layout } from "../../../src/records/layout.ts";
import { checkQuery } from "../../../src/records/refusals.ts";
import type { DataPlane } from "./data-plane.ts";
import { decodeRecord } from "./decode.ts";
import { Encoder } from "./encode.ts";
import { type ServiceFilter, toServiceFilter } from "./filter.ts";
import { Freshness } from "./freshness.ts";
import { type SeenMarks, WriteGuard } from "./guard.ts";
import { serviceLimits } from "./limits.ts";
import type { MarkerStore } from "./marker.ts";
import { prepare, sizeOf } from "./operations.ts";
import { countMatches, fetchRecords, findNearest, scanRecords } from "./reading.ts";
import { shorten } from "./short-numbers.ts";

/** What a collection needs to know of its sink. */
export interface CollectionOptions {
  readonly plane: DataPlane;
  readonly markers: MarkerStore;
  readonly seen: SeenMarks;
  readonly layout: Layout;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly dimension: number;
  readonly metric: Metric;
  readonly filterable: ReadonlySet<string> | undefined;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly visibilityTimeoutMs: number;
}

/** An open namespace of an index. */
export class PineconeCollection implements Collection {
  readonly limits: SinkLimits;
  readonly dimension: number;
  readonly #options: CollectionOptions;
  readonly #encoder: Encoder;
  readonly #freshness: Freshness;
  readonly #guard: WriteGuard;

  constructor(options: CollectionOptions) {
    const { plane, markers, seen, dimension, visibilityTimeoutMs: limitMs } = options;
    this.#options = options;
    this.dimension = dimension;
    this.limits = {
      operationsPerWrite: serviceLimits.recordsPerRequest,
      bytesPerWrite: serviceLimits.upsertBytes,
      concurrentWrites: options.concurrency,
      // A request is given up after `timeoutMs`, and its connection closed. Behind the service's gateway it may go on;
      // no bound is documented, and as long again is more than such gateways allow.
      writeHorizonMs: 2 * options.timeoutMs,
    };
    this.#encoder = new Encoder(options.layout);
    this.#freshness = new Freshness(plane, { dimension, limitMs });
    this.#guard = new WriteGuard({ plane, markers, seen, limitMs });
  }

  sizeOf(operation: WriteOperation): number {
    return sizeOf(operation, this.#encoder);
  }

  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    signal.throwIfAborted();
    const { plane, declared, dimension } = this.#options;
    const { upserts, deletes, failed } = prepare(operations, {
      encoder: this.#encoder,
      dimension,
      declared,
      address: this.#address,
    });
    if (upserts.length + deletes.length === 0) return { failed };
    await this.#guard.beforeWrite({ upserts: upserts.length > 0 }, signal);
    const written = upserts.length > 0 ? await plane.upsert(upserts, signal) : undefined;
    let deleted: number | undefined;
    const remove = async (): Promise<WriteOutcome["failed"]> => {
      deleted = await plane.remove(deletes, signal);
      return new Map();
    };
    const undeleted = await deleteLast(deletes, { upserted: upserts.length > 0, signal }, remove);
    const visible = this.#freshness.note([written, deleted]);
    return {
      failed: new Map([...failed, ...undeleted]),
      ...(visible === undefined ? {} : { visible }),
    };
  }

  waitVisible(token: VisibilityToken, signal: AbortSignal): Promise<void> {
    return this.#freshness.wait(token, signal);
  }

  async read(
    ids: readonly string[],
    options: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    signal.throwIfAborted();
    const { plane, layout, dimension } = this.#options;
    const records: StoredRecord[] = [];
    for await (const group of fetchRecords(plane, ids, dimension, signal)) {
      for (const record of group) records.push(decodeRecord(record, layout, options));
    }
    return records;
  }

  async count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    const { plane, dimension } = this.#options;
    const wanted = this.#toServiceFilter(filter);
    if (wanted === "nothing") return 0;
    if (wanted === undefined) return (await plane.statistics(signal)).records;
    return countMatches(plane, wanted, dimension, signal);
  }

  async *scan(
    { pipeline, vectors = false }: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const { plane, layout, dimension } = this.#options;
    const key = layout.find("pipeline")?.name ?? "pipeline";
    for await (const group of scanRecords(plane, dimension, signal)) {
      const own = group.filter(({ metadata }) => metadata?.[key] === pipeline);
      if (own.length > 0) yield own.map((record) => decodeRecord(record, layout, { vectors }));
    }
  }

  async search(
    { vector, k, filter }: SearchRequest,
    signal: AbortSignal,
  ): Promise<readonly SearchHit[]> {
    const { plane, layout, metric } = this.#options;
    this.#checkSearch(vector, k);
    const wanted = this.#toServiceFilter(filter);
    if (wanted === "nothing") return [];
    const { numbers } = shorten(vector);
    const search = {
      vector: numbers,
      topK: k,
      ...(wanted === undefined ? {} : { filter: wanted }),
    };
    const matches = await findNearest(plane, search, signal);
    const hits = matches.map(({ score, ...record }): SearchHit => {
      return {
        record: decodeRecord(record, layout, { vectors: false }),
        // The service gives the square of the euclidean distance.
        score: metric === "euclidean" ? -Math.sqrt(Math.max(score, 0)) : score,
      };
    });
    // It may give three and more matches in another order.
    return hits.toSorted((left, right) => right.score - left.score);
  }

  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    const { plane, markers, seen } = this.#options;
    // Whoever reads the marker must also see what was written before it.
    await this.#freshness.wait(undefined, signal);
    const { records } = await plane.statistics(signal);
    const written = noteOf(marker, records, seen);
    await markers.replace(marker, { seen: seen.marker, written }, signal);
    seen.marker = marker;
    if (written !== "as it is") seen.written = written ? marker.incarnation : undefined;
  }

  #toServiceFilter(filter: Filter | undefined): ServiceFilter | "nothing" | undefined {
    const { layout, declared, filterable } = this.#options;
    const conditions = checkFilter(filter ?? [], declared);
    return toServiceFilter(conditions, {
      nameOf: (field) => layout.find(field)?.name,
      filterable,
    });
  }

  #checkSearch(vector: Float32Array, k: number): void {
    checkQuery(vector, this.dimension, this.#address);
    if (k > serviceLimits.topK) {
      throw new Fault(
        "config.invalid",
        `A search asks for ${k} records; Pinecone gives ${serviceLimits.topK} at most.`,
      );
    }
  }

  get #address(): string {
    return this.#options.plane.options.client.address;
  }
}

/**
 * Whether the store is to know that records were written. Once the last pipeline has left, and has taken its records
 * along, it is to forget: an empty namespace is then nothing to wonder at.
 */
function noteOf(
  { pipelines }: CollectionMarker,
  records: number,
  seen: SeenMarks,
): boolean | "as it is" {
  if (records > 0) return true;
  if (Object.keys(pipelines).length === 0) return false;
  return seen.sent ? true : "as it is";
}
