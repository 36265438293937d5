import type {
  Collection,
  CollectionMarker,
  CollectionSpec,
  Filter,
  Sink,
  StoredRecord,
  VectorRecord,
  WriteOperation,
} from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import { matchesFilter } from "./filter.ts";

/** A collection as the far end keeps it. */
export interface FakeCollection {
  readonly spec: CollectionSpec;
  readonly records: Map<string, VectorRecord>;
  marker: CollectionMarker | undefined;
}

/** The far end of a fake sink: outlives its clients. Tests change it to break things. */
export interface FakeStore {
  collection: FakeCollection | undefined;
  /** Writes and reads fail while set. */
  unreachable: boolean;
  /** Operations on these ids fail. */
  readonly rejectedIds: Set<string>;
}

/** A store without a collection. */
export function createFakeStore(): FakeStore {
  return { collection: undefined, unreachable: false, rejectedIds: new Set() };
}

const pageSize = 100;

/** A sink in memory that keeps every promise of the contract; cosine, exact search. */
export function createFakeSink(store: FakeStore = createFakeStore()): Sink {
  const address = "memory:fake";
  const reach = (signal: AbortSignal): void => {
    signal.throwIfAborted();
    if (store.unreachable) {
      throw new Fault("sink.unreachable", `The store \`${address}\` does not answer.`);
    }
  };
  return {
    address,
    shape: "fake-1",
    createMetric: "cosine",
    async describe(signal) {
      reach(signal);
      const live = store.collection;
      if (live === undefined) return undefined;
      return {
        dimension: live.spec.dimension,
        metric: live.spec.metric,
        elementType: "float32",
        records: live.records.size,
        ...(live.marker === undefined ? {} : { marker: live.marker }),
        misfits: [],
      };
    },
    async create(spec, signal) {
      reach(signal);
      if (store.collection !== undefined) {
        throw new Fault("sink.rejected", `The collection \`${address}\` exists already.`, {
          scope: "component",
          retry: "never",
        });
      }
      store.collection = { spec, records: new Map(), marker: undefined };
      return openCollection(store, reach, spec.dimension);
    },
    async open(signal) {
      reach(signal);
      const { spec } = liveCollection(store);
      return openCollection(store, reach, spec.dimension);
    },
    check: async (signal) => reach(signal),
    close: async () => {},
  };
}

function openCollection(
  store: FakeStore,
  reach: (signal: AbortSignal) => void,
  dimension: number,
): Collection {
  return {
    limits: {
      operationsPerWrite: 500,
      bytesPerWrite: 16 * 1024 * 1024,
      concurrentWrites: 4,
      writeHorizonMs: 0,
    },
    dimension,
    async write(operations, signal) {
      reach(signal);
      const { records } = liveCollection(store);
      for (const operation of operations) checkOperation(operation, dimension);
      const failed = new Map<string, Fault>();
      for (const operation of operations) {
        const id = operation.kind === "upsert" ? operation.record.id : operation.id;
        if (store.rejectedIds.has(id)) failed.set(id, rejection(id));
        else if (operation.kind === "delete") records.delete(id);
        else records.set(id, structuredClone(operation.record));
      }
      return { failed };
    },
    async read(ids, { vectors }, signal) {
      reach(signal);
      const { records } = liveCollection(store);
      return [...new Set(ids)].flatMap((id) => {
        const record = records.get(id);
        return record === undefined ? [] : [toStored(record, vectors)];
      });
    },
    async count(filter, signal) {
      reach(signal);
      return matching(store, filter).length;
    },
    async *scan({ pipeline, vectors = false }, signal) {
      const ids = matching(store, [{ field: "pipeline", operator: "=", value: pipeline }]);
      for (let start = 0; start < ids.length; start += pageSize) {
        reach(signal);
        yield ids.slice(start, start + pageSize).map((record) => toStored(record, vectors));
      }
    },
    async search({ vector, k, filter }, signal) {
      reach(signal);
      return matching(store, filter)
        .map((record) => ({
          score: cosine(vector, record.vector),
          record: toStored(record, false),
        }))
        .toSorted((left, right) => right.score - left.score)
        .slice(0, k);
    },
    async setMarker(marker, signal) {
      reach(signal);
      liveCollection(store).marker = structuredClone(marker);
    },
    optimize: async (signal) => reach(signal),
    sizeOf: (operation) =>
      operation.kind === "delete"
        ? 64
        : operation.record.vector.byteLength +
          3 * JSON.stringify({ ...operation.record, vector: [] }).length,
  };
}

function liveCollection(store: FakeStore): FakeCollection {
  if (store.collection !== undefined) return store.collection;
  throw new Fault("sink.missing", "The collection does not exist. Run again to create it.");
}

function checkOperation(operation: WriteOperation, dimension: number): void {
  if (operation.kind === "delete") return;
  const { id, vector } = operation.record;
  if (vector.length === dimension && vector.every((number) => Number.isFinite(number))) return;
  throw new Fault(
    "sink.dimension",
    `Record \`${id}\` has a vector of ${vector.length} numbers, expected ${dimension} finite ones.`,
  );
}

function rejection(id: string): Fault {
  return new Fault("sink.rejected", `The store rejected the record \`${id}\`.`);
}

function matching(store: FakeStore, filter: Filter | undefined): VectorRecord[] {
  const records = [...liveCollection(store).records.values()];
  return records.filter((record) => matchesFilter(record, filter ?? []));
}

function toStored(record: VectorRecord, vectors: boolean): StoredRecord {
  const { vector, ...rest } = structuredClone(record);
  return vectors ? { ...rest, vector } : rest;
}

function cosine(left: Float32Array, right: Float32Array): number {
  let [dot, leftSquare, rightSquare] = [0, 0, 0];
  for (const [index, number] of left.entries()) {
    const other = right[index] ?? 0;
    dot += number * other;
    leftSquare += number * number;
    rightSquare += other * other;
  }
  return dot / (Math.sqrt(leftSquare * rightSquare) || 1);
}
