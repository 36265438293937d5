import type {
  Collection,
  CollectionMarker,
  CollectionSpec,
  FaultLike,
  Sink,
  StoredRecord,
  VectorRecord,
  WriteOperation,
} from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import type { SimulatedProcess } from "./process.ts";

/** What a store holds; survives processes. */
export interface SimulatedCollection {
  readonly spec: CollectionSpec;
  readonly records: Map<string, VectorRecord>;
  marker: CollectionMarker | undefined;
}

/** A store with at most one collection; it can be dropped. */
export interface SimulatedStore {
  readonly name: string;
  collection: SimulatedCollection | undefined;
  /** Called after every delete that took effect. */
  onDelete: (record: VectorRecord, collection: SimulatedCollection) => void;
}

export const writeHorizonMs = 100;

export function simulatedSink(store: SimulatedStore, process: SimulatedProcess): Sink {
  const { random, timeline, rates } = process;

  function openCollection(held: SimulatedCollection): Collection {
    return {
      limits: { operationsPerWrite: 5, bytesPerWrite: 10_000, concurrentWrites: 3, writeHorizonMs },
      dimension: held.spec.dimension,
      sizeOf: () => 1,
      async write(operations) {
        await process.pause();
        if (random.chance(rates.late)) return writeLate(held, operations);
        const failed = failSome(operations);
        return process.call("sink.unreachable", () => {
          apply(store, held, operations, failed);
          return { failed };
        });
      },
      async read(ids) {
        return process.call("sink.unreachable", () =>
          ids.flatMap((id) => {
            const record = held.records.get(id);
            return record === undefined ? [] : [stored(record)];
          }),
        );
      },
      async count() {
        return process.call("sink.unreachable", () => held.records.size);
      },
      async *scan() {
        yield [...held.records.values()].map(stored);
      },
      async search() {
        return [];
      },
      async setMarker(marker) {
        await process.call("sink.unreachable", () => {
          held.marker = marker;
        });
      },
    };
  }

  /** The caller hears of a timeout or dies; the write lands some time later, but within the horizon. */
  async function writeLate(
    held: SimulatedCollection,
    operations: readonly WriteOperation[],
  ): Promise<never> {
    timeline.after(random.below(writeHorizonMs - 10), () => {
      // A delete that lands late says nothing about the documents of that moment.
      apply({ ...store, onDelete: () => undefined }, held, operations, new Map());
    });
    if (process.dies()) return process.hang();
    await process.pause();
    throw new Fault("sink.timeout", "No answer in time.", { ambiguous: true });
  }

  function failSome(operations: readonly WriteOperation[]): Map<string, FaultLike> {
    const failed = new Map<string, FaultLike>();
    if (!random.chance(rates.partial)) return failed;
    for (const operation of operations) {
      if (!random.chance(0.5)) continue;
      const fault = new Fault("sink.rejected", "This record was not taken.", { retry: "later" });
      failed.set(idOf(operation), fault);
    }
    return failed;
  }

  return {
    address: store.name,
    shape: "",
    createMetric: "cosine",
    async describe() {
      return process.call("sink.unreachable", () => {
        const held = store.collection;
        if (held === undefined) return undefined;
        return {
          dimension: held.spec.dimension,
          metric: held.spec.metric,
          elementType: "float32" as const,
          records: held.records.size,
          ...(held.marker === undefined ? {} : { marker: held.marker }),
          misfits: [],
        };
      });
    },
    async create(spec) {
      return process.call("sink.unreachable", () => {
        if (store.collection !== undefined) throw new Fault("sink.foreign", "It exists.");
        store.collection = { spec, records: new Map(), marker: undefined };
        return openCollection(store.collection);
      });
    },
    async open() {
      return process.call("sink.unreachable", () => {
        if (store.collection === undefined) throw new Fault("sink.missing", "It does not exist.");
        return openCollection(store.collection);
      });
    },
    async check() {},
    async close() {},
  };
}

function apply(
  store: SimulatedStore,
  held: SimulatedCollection,
  operations: readonly WriteOperation[],
  failed: ReadonlyMap<string, FaultLike>,
): void {
  for (const operation of operations) {
    const id = idOf(operation);
    if (failed.has(id)) continue;
    if (operation.kind === "upsert") {
      held.records.set(id, operation.record);
      continue;
    }
    const record = held.records.get(id);
    held.records.delete(id);
    if (record !== undefined) store.onDelete(record, held);
  }
}

function idOf(operation: WriteOperation): string {
  return operation.kind === "upsert" ? operation.record.id : operation.id;
}

function stored(record: VectorRecord): StoredRecord {
  return { ...record, vector: record.vector.slice() };
}
