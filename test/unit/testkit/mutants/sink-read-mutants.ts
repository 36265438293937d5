import type { CollectionMarker, Sink } from "../../../../src/contracts/index.ts";
import { sinkLaws, type FakeStore } from "../../../../src/testkit/index.ts";
import { fakeSinkHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";
import { withCollection, withOperations, withPages } from "./sink-defects.ts";

const shared = "scans each record of the pipeline exactly once, and nobody else's";

export const sinkReadMutants = mutantsOf(
  "a sink that",
  (mutate: (sink: Sink, store: FakeStore) => Sink) => sinkLaws(fakeSinkHarness(mutate)),
  [
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
