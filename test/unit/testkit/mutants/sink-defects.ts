import type {
  Collection,
  Sink,
  StoredRecord,
  WriteOperation,
} from "../../../../src/contracts/index.ts";
import type { FakeStore } from "../../../../src/testkit/index.ts";

type MutateCollection = (collection: Collection, store: FakeStore) => Partial<Collection>;

/** A sink whose collections have other methods. */
export function withCollection(mutate: MutateCollection) {
  return (sink: Sink, store: FakeStore): Sink => {
    const change = (collection: Collection): Collection => ({
      ...collection,
      ...mutate(collection, store),
    });
    return {
      ...sink,
      create: async (spec, signal) => change(await sink.create(spec, signal)),
      open: async (signal) => change(await sink.open(signal)),
    };
  };
}

/** A collection that changes the operations before it writes them. */
export function withOperations(
  change: (operations: readonly WriteOperation[], dimension: number) => WriteOperation[],
) {
  return withCollection((collection) => ({
    write: (operations, signal) =>
      collection.write(change(operations, collection.dimension), signal),
  }));
}

export function withVectors(change: (vector: Float32Array, dimension: number) => Float32Array) {
  return withOperations((operations, dimension) =>
    operations.map((operation) =>
      operation.kind === "delete"
        ? operation
        : {
            ...operation,
            record: { ...operation.record, vector: change(operation.record.vector, dimension) },
          },
    ),
  );
}

/** A collection whose scan gives other pages. */
export function withPages(change: (pages: StoredRecord[][]) => StoredRecord[][]) {
  return withCollection((collection) => ({
    async *scan(options, signal) {
      const pages: StoredRecord[][] = [];
      for await (const page of collection.scan(options, signal)) pages.push([...page]);
      yield* change(pages);
    },
  }));
}

export function padded(vector: Float32Array, dimension: number): Float32Array {
  if (vector.length >= dimension) return vector;
  const longer = new Float32Array(dimension);
  longer.set(vector);
  return longer;
}
