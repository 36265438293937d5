import type {
  Collection,
  CollectionMarker,
  Sink,
  StoredRecord,
  WriteOperation,
} from "../../../../src/contracts/index.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { sinkLaws, type FakeStore } from "../../../../src/testkit/index.ts";
import { fakeSinkHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateCollection = (collection: Collection, store: FakeStore) => Partial<Collection>;

/** A sink whose collections have other methods. */
function withCollection(mutate: MutateCollection) {
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
function withOperations(
  change: (operations: readonly WriteOperation[], dimension: number) => WriteOperation[],
) {
  return withCollection((collection) => ({
    write: (operations, signal) =>
      collection.write(change(operations, collection.dimension), signal),
  }));
}

function withVectors(change: (vector: Float32Array, dimension: number) => Float32Array) {
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
function withPages(change: (pages: StoredRecord[][]) => StoredRecord[][]) {
  return withCollection((collection) => ({
    async *scan(options, signal) {
      const pages: StoredRecord[][] = [];
      for await (const page of collection.scan(options, signal)) pages.push([...page]);
      yield* change(pages);
    },
  }));
}

function padded(vector: Float32Array, dimension: number): Float32Array {
  if (vector.length >= dimension) return vector;
  const longer = new Float32Array(dimension);
  longer.set(vector);
  return longer;
}

const shared = "scans each record of the pipeline exactly once, and nobody else's";
const byId = "reports a failure by the id that failed, wherever it stands";
const restart = "has every acknowledged write after a restart without a close";

export const sinkMutants = mutantsOf(
  "a sink that",
  (mutate: (sink: Sink, store: FakeStore) => Sink) => sinkLaws(fakeSinkHarness(mutate)),
  [
    [
      "loses the last operation of a full batch",
      "takes as many operations at once as its limits say, to the last one",
      withOperations((operations) => operations.slice(0, 499)),
    ],
    [
      "writes only whole groups of ten",
      "keeps everything of a record, and its vector bit by bit",
      withOperations((operations) =>
        operations.slice(0, operations.length - (operations.length % 10)),
      ),
    ],
    [
      "pads a short vector with zeros",
      "refuses a vector that is one number too short, before anything is written",
      withVectors(padded),
    ],
    [
      "cuts a long vector",
      "refuses a vector that is one number too long, before anything is written",
      withVectors((vector, dimension) => vector.slice(0, dimension)),
    ],
    [
      "writes what comes before the wrong vector",
      "refuses a vector that is twice as long, before anything is written",
      withCollection((collection) => ({
        async write(operations, signal) {
          for (const operation of operations) await collection.write([operation], signal);
          return { failed: new Map() };
        },
      })),
    ],
    [
      "writes zeros for what is not a number",
      "refuses a vector that holds NaN, and stores nothing of it",
      withVectors((vector) => vector.map((number) => (Number.isNaN(number) ? 0 : number))),
    ],
    [
      "leaves out a record with an infinity in silence",
      "refuses a vector that holds Infinity, and stores nothing of it",
      withOperations((operations) =>
        operations.filter(
          (operation) =>
            operation.kind === "delete" || operation.record.vector.every((number) => number < 2),
        ),
      ),
    ],
    [
      "rounds vectors to half precision",
      "keeps everything of a record, and its vector bit by bit",
      withVectors((vector) => vector.map((number) => Math.round(number * 2048) / 2048)),
    ],
    [
      "normalises vectors once more",
      "gives each record its own vector, and only when asked",
      withVectors((vector) => {
        const norm = Math.hypot(...vector) * (1 + 1e-6);
        return vector.map((number) => number / norm);
      }),
    ],
    [
      "deletes before it upserts what has the same document",
      "holds a record once, however often it is upserted",
      withOperations((operations) => {
        const [last] = operations.slice(-1);
        return last?.kind === "upsert" ? [last] : [...operations];
      }),
    ],
    [
      "appends what it should replace",
      "holds a record once, however often it is upserted",
      withCollection((collection, store) => ({
        write: (operations, signal) =>
          collection.write(
            operations.map((operation) =>
              operation.kind === "upsert" && store.collection?.records.has(operation.record.id)
                ? { kind: "upsert", record: { ...operation.record, id: crypto.randomUUID() } }
                : operation,
            ),
            signal,
          ),
      })),
    ],
    [
      "merges a record into the old one",
      "replaces a record as a whole",
      withCollection((collection, store) => ({
        write: (operations, signal) =>
          collection.write(
            operations.map((operation) =>
              operation.kind === "upsert"
                ? {
                    kind: "upsert",
                    record: {
                      ...store.collection?.records.get(operation.record.id),
                      ...operation.record,
                    },
                  }
                : operation,
            ),
            signal,
          ),
      })),
    ],
    [
      "fails when it deletes what is not there",
      "succeeds in deleting what is not there, and deletes nothing else",
      withCollection((collection, store) => ({
        async write(operations, signal) {
          const absent = operations.flatMap((operation) =>
            operation.kind === "delete" && !store.collection?.records.has(operation.id)
              ? [operation.id]
              : [],
          );
          const { failed } = await collection.write(operations, signal);
          const missing = absent.map(
            (id) => [id, new Fault("sink.rejected", "Not there.")] as const,
          );
          return { failed: new Map([...failed, ...missing]) };
        },
      })),
    ],
    [
      "deletes whole documents, not ids",
      "deletes exactly the ids that it is given",
      withCollection((collection, store) => ({
        async write(operations, signal) {
          const outcome = await collection.write(operations, signal);
          const deletes = operations.some((operation) => operation.kind === "delete");
          if (deletes) store.collection?.records.clear();
          return outcome;
        },
      })),
    ],
    [
      "reports failures by their place in the batch",
      byId,
      withCollection((collection) => ({
        async write(operations, signal) {
          const { failed } = await collection.write(operations, signal);
          const named = [...failed.values()].map((fault, index) => [`${index}`, fault] as const);
          return { failed: new Map(named) };
        },
      })),
    ],
    [
      "blames the neighbour of what failed",
      byId,
      withCollection((collection) => ({
        async write(operations, signal) {
          const { failed } = await collection.write(operations, signal);
          const ids = operations.map((operation) =>
            operation.kind === "upsert" ? operation.record.id : operation.id,
          );
          const blamed = [...failed].map(
            ([id, fault]) => [ids[(ids.indexOf(id) + 1) % ids.length] ?? id, fault] as const,
          );
          return { failed: new Map(blamed) };
        },
      })),
    ],
    [
      "swallows failures",
      byId,
      withCollection((collection) => ({
        async write(operations, signal) {
          await collection.write(operations, signal);
          return { failed: new Map() };
        },
      })),
    ],
    [
      "acknowledges what is only in its buffer",
      restart,
      withCollection((collection) => {
        const buffer: WriteOperation[] = [];
        return {
          async write(operations, signal) {
            buffer.push(...operations);
            if (buffer.length >= 64) await collection.write(buffer.splice(0), signal);
            return { failed: new Map() };
          },
        };
      }),
    ],
    [
      "loses its marker in a restart",
      "still has records, dimension and marker after a restart",
      (() => {
        const markers = new WeakMap<object, CollectionMarker>();
        const writer = new WeakMap<FakeStore, Sink>();
        return (sink: Sink, store: FakeStore): Sink => {
          if (!writer.has(store)) writer.set(store, sink);
          const first = writer.get(store) === sink;
          const mutated = withCollection(() => ({
            setMarker: async (marker) => void markers.set(store, marker),
          }))(sink, store);
          return {
            ...mutated,
            async describe(signal) {
              const description = await sink.describe(signal);
              const marker = first ? markers.get(store) : undefined;
              return description && marker ? { ...description, marker } : description;
            },
          };
        };
      })(),
    ],
    [
      "merges a marker into the old one",
      "keeps a marker as it was set, and replaces it as a whole",
      withCollection((collection, store) => ({
        setMarker: (marker, signal) =>
          collection.setMarker(
            {
              ...marker,
              pipelines: { ...store.collection?.marker?.pipelines, ...marker.pipelines },
            },
            signal,
          ),
      })),
    ],
    [
      "gives the first record of each page twice",
      shared,
      withPages((pages) => pages.map((page) => [...page.slice(0, 1), ...page])),
    ],
    [
      "skips a record at each border of pages",
      shared,
      withPages((pages) => pages.map((page, index) => (index === 0 ? page : page.slice(1)))),
    ],
    ["stops scanning after the first page", shared, withPages((pages) => pages.slice(0, 1))],
    [
      "scans everybody's records",
      shared,
      withCollection((collection) => ({
        async *scan({ vectors = false }, signal) {
          for (const pipeline of ["law", "other"]) {
            yield* collection.scan({ pipeline, vectors }, signal);
          }
        },
      })),
    ],
    [
      "gives records in the order of storage for vectors in the order of ids",
      "gives each record its own vector, and only when asked",
      withCollection((collection) => ({
        async read(ids, options, signal) {
          const records = await collection.read(ids, options, signal);
          const sorted = records.toSorted((left, right) => (left.id < right.id ? -1 : 1));
          return records.map((record, index) => {
            const vector = sorted[index]?.vector;
            return vector === undefined ? record : { ...record, vector };
          });
        },
      })),
    ],
    [
      "fails to read when one id is absent",
      "reads those of the ids that exist, each once",
      withCollection((collection) => ({
        async read(ids, options, signal) {
          const records = await collection.read(ids, options, signal);
          return records.length === ids.length ? records : [];
        },
      })),
    ],
    [
      "ignores filters in a search",
      "finds no more than asked, and only what the filter lets through",
      withCollection((collection) => ({
        search: ({ vector, k }, signal) => collection.search({ vector, k }, signal),
      })),
    ],
    [
      "filters after it has cut to k",
      "finds no more than asked, and only what the filter lets through",
      withCollection((collection) => ({
        async search(request, signal) {
          const hits = await collection.search({ vector: request.vector, k: 1 }, signal);
          const all = await collection.search(request, signal);
          return all.filter((hit) => hits.some((near) => near.record.id === hit.record.id));
        },
      })),
    ],
    [
      "treats `<` as `<=`",
      "finds by `year < 2022`",
      withCollection((collection) => ({
        count: (filter, signal) =>
          collection.count(
            filter?.map((condition) => ({
              ...condition,
              operator: condition.operator === "<" ? "<=" : condition.operator,
            })),
            signal,
          ),
      })),
    ],
    [
      "joins conditions with `or`",
      "finds only what meets every condition",
      withCollection((collection) => ({
        count: async (filter, signal) => {
          const counts = await Promise.all(
            (filter ?? []).map((condition) => collection.count([condition], signal)),
          );
          return filter ? Math.max(0, ...counts) : collection.count(undefined, signal);
        },
      })),
    ],
    [
      "orders hits by distance, the farthest first",
      "finds the nearest vectors, the nearest first",
      withCollection((collection) => ({
        search: async (request, signal) => (await collection.search(request, signal)).toReversed(),
      })),
    ],
    [
      "remembers its first description",
      "describes what is there now, never what was",
      (sink) => {
        let first: ReturnType<Sink["describe"]> | undefined;
        return { ...sink, describe: (signal) => (first ??= sink.describe(signal)) };
      },
    ],
    [
      "opens what it is asked to create",
      "fails to create a collection that exists, and leaves it as it is",
      (sink, store) => ({
        ...sink,
        create: (spec, signal) =>
          store.collection ? sink.open(signal) : sink.create(spec, signal),
      }),
    ],
    [
      "creates what it is asked to open",
      "says nothing of a collection that does not exist, and does not make it",
      (sink, store) => ({
        ...sink,
        open: (signal) =>
          store.collection
            ? sink.open(signal)
            : sink.create({ dimension: 8, metric: "cosine", fields: {} }, signal),
      }),
    ],
    [
      "writes although its signal has aborted",
      "rejects a write whose signal has aborted, and writes nothing",
      withCollection((collection) => ({
        write: (operations) => collection.write(operations, new AbortController().signal),
      })),
    ],
    [
      "weighs only vectors",
      "weighs an operation no lighter than its vector and texts",
      withCollection(() => ({
        sizeOf: (operation) =>
          operation.kind === "upsert" ? operation.record.vector.byteLength : 16,
      })),
    ],
    [
      "loses line ends in texts",
      "keeps line ends in ids of documents and in texts",
      withOperations((operations) =>
        operations.map((operation) =>
          operation.kind === "upsert"
            ? {
                kind: "upsert",
                record: {
                  ...operation.record,
                  text: operation.record.text.replaceAll("\r\n", "\n"),
                },
              }
            : operation,
        ),
      ),
    ],
  ],
);
