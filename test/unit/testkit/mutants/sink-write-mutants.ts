import type { Sink, WriteOperation } from "../../../../src/contracts/index.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { sinkLaws, type FakeStore } from "../../../../src/testkit/index.ts";
import { fakeSinkHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";
import { padded, withCollection, withOperations, withVectors } from "./sink-defects.ts";

const byId = "reports a failure by the id that failed, wherever it stands";
const restart = "has every acknowledged write after a restart without a close";

export const sinkWriteMutants = mutantsOf(
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
  ],
);
