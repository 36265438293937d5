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
  VectorRecord,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { checkFilter, meetsConditions } from "../../../src/records/filter.ts";
import type { Layout } from "../../../src/records/layout.ts";
import { memoryStore, type StoredCollection } from "./store.ts";

/** Nothing is sent anywhere: a write has taken effect when the call returns. */
const limits: SinkLimits = {
  operationsPerWrite: 1_000,
  bytesPerWrite: 16 * 1024 * 1024,
  concurrentWrites: 4,
  writeHorizonMs: 0,
};

const recordsPerPage = 1_000;

/** A client of a collection in this process. */
export class MemoryCollection implements Collection {
  readonly limits = limits;
  readonly dimension: number;
  readonly #name: string;
  readonly #opened: StoredCollection;
  readonly #declared: Readonly<Record<string, FieldType>>;
  readonly #layout: Layout;

  constructor(
    name: string,
    opened: StoredCollection,
    declared: Readonly<Record<string, FieldType>>,
    layout: Layout,
  ) {
    this.dimension = opened.spec.dimension;
    this.#name = name;
    this.#opened = opened;
    this.#declared = declared;
    this.#layout = layout;
  }

  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    const { records } = this.#live(signal);
    for (const operation of operations) {
      if (operation.kind === "upsert") this.#checkVector(operation.record);
    }
    for (const operation of operations) {
      if (operation.kind === "delete") records.delete(operation.id);
      else records.set(operation.record.id, this.#toStored(operation.record));
    }
    return { failed: new Map() };
  }

  async read(
    ids: readonly string[],
    { vectors }: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    const { records } = this.#live(signal);
    return [...new Set(ids)].flatMap((id) => {
      const record = records.get(id);
      return record === undefined ? [] : [copy(record, vectors)];
    });
  }

  async count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    return this.#matching(filter, signal).length;
  }

  async *scan(
    { pipeline, vectors = false }: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const own = this.#matching([{ field: "pipeline", operator: "=", value: pipeline }], signal);
    for (let start = 0; start < own.length; start += recordsPerPage) {
      signal.throwIfAborted();
      yield own.slice(start, start + recordsPerPage).map((record) => copy(record, vectors));
    }
  }

  async search(
    { vector, k, filter }: SearchRequest,
    signal: AbortSignal,
  ): Promise<readonly SearchHit[]> {
    if (vector.length !== this.dimension) {
      throw wrongLength("The query", vector.length, this.#name, this.dimension);
    }
    const score = scorers[this.#opened.spec.metric];
    return this.#matching(filter, signal)
      .map((record) => ({ record, score: score(vector, record.vector) }))
      .toSorted((left, right) => right.score - left.score)
      .slice(0, k)
      .map((hit) => ({ score: hit.score, record: copy(hit.record, false) }));
  }

  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    this.#live(signal).marker = structuredClone(marker);
  }

  sizeOf(operation: WriteOperation): number {
    if (operation.kind === "delete") return 64;
    const { vector, ...rest } = operation.record;
    return vector.byteLength + JSON.stringify(rest).length * 3;
  }

  /** The collection, if it is still the one that was opened. */
  #live(signal: AbortSignal): StoredCollection {
    signal.throwIfAborted();
    const live = memoryStore.get(this.#name);
    if (live === this.#opened) return live;
    throw new Fault(
      "sink.missing",
      `The collection \`${this.#name}\` was dropped since it was opened. Run again.`,
    );
  }

  #matching(filter: Filter | undefined, signal: AbortSignal) {
    const records = [...this.#live(signal).records.values()];
    const conditions = checkFilter(filter ?? [], this.#declared);
    return records.filter((record) => meetsConditions(record, conditions));
  }

  #checkVector({ id, vector }: VectorRecord): void {
    if (vector.length !== this.dimension) {
      throw wrongLength(`Record \`${id}\``, vector.length, this.#name, this.dimension);
    }
    if (!vector.every(Number.isFinite)) {
      throw new Fault(
        "sink.rejected",
        `The vector of record \`${id}\` holds a number that is not finite.`,
      );
    }
  }

  /** A copy without what `omit` names. */
  #toStored(record: VectorRecord): StoredRecord & { readonly vector: Float32Array } {
    const kept = structuredClone(record);
    const { position: _, title, uri, page, text, headings, fields, metadata, ...required } = kept;
    const has = (field: string): boolean => this.#layout.find(field) !== undefined;
    return {
      ...required,
      ...(has("text") ? { text } : {}),
      ...(title !== undefined && has("title") ? { title } : {}),
      ...(uri !== undefined && has("uri") ? { uri } : {}),
      ...(page !== undefined && has("page") ? { page } : {}),
      ...(has("headings") ? { headings } : {}),
      fields: Object.fromEntries(Object.entries(fields).filter(([name]) => has(name))),
      metadata: has("metadata") ? metadata : {},
    };
  }
}

function copy(
  record: StoredRecord & { readonly vector: Float32Array },
  vectors: boolean,
): StoredRecord {
  const { vector, ...rest } = record;
  return structuredClone(vectors ? { ...rest, vector } : rest);
}

function wrongLength(what: string, length: number, name: string, dimension: number): Fault {
  return new Fault(
    "sink.dimension",
    `${what} has ${length} numbers, the collection \`${name}\` takes ${dimension}. Nothing of it was used.`,
  );
}

const scorers: Readonly<Record<Metric, (left: Float32Array, right: Float32Array) => number>> = {
  dot,
  cosine: (left, right) => dot(left, right) / (Math.sqrt(dot(left, left) * dot(right, right)) || 1),
  euclidean: (left, right) => {
    let squares = 0;
    for (const [index, value] of left.entries()) squares += (value - (right[index] ?? 0)) ** 2;
    return -Math.sqrt(squares);
  },
};

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (const [index, value] of left.entries()) sum += value * (right[index] ?? 0);
  return sum;
}
