/** Runs as a process of its own, because it needs limits or an environment that a test process cannot have. */
import { randomBytes } from "node:crypto";
import { makeRecord, specOf, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { makeSink, rawDatabase } from "./harness.ts";
import { isFault } from "../../../../src/faults/index.ts";

const [folder = "", task = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const dimension = 64;

/** Writes until the limit on the size of files, which stands for a full disk, stops it. */
async function fill(): Promise<unknown> {
  const sink = makeSink(folder);
  const collection = await sink.create(specOf({ dimension }, sink), signal);
  await collection.write([toUpsert(makeRecord(0, dimension))], signal);
  const records = Array.from({ length: 20 }, (_, n) => makeRecord(n, dimension, { text: noise() }));
  const fault = await collection
    .write(records.map(toUpsert), signal)
    .catch((error: unknown) => error);
  const after = await collection.write([toUpsert(makeRecord(2, dimension))], signal);
  const count = await collection.count(undefined, signal);
  await sink.close();
  if (!isFault(fault)) return { fault: String(fault) };
  const { code, retry, scope, ambiguous, message } = fault;
  return {
    fault: { code, retry, scope, ambiguous, message },
    failedAfter: after.failed.size,
    count,
  };
}

/** A text that does not compress. */
function noise(): string {
  return randomBytes(100_000).toString("base64");
}

/** Provokes a warning of the driver: two compactions at once, of which one loses. */
async function quarrel(): Promise<unknown> {
  const sink = makeSink(folder);
  const collection = await sink.create(specOf({ dimension }, sink), signal);
  for (let n = 0; n < 8; n++) await collection.write([toUpsert(makeRecord(n, dimension))], signal);
  const database = await rawDatabase(`${folder}/index`);
  const tables = await Promise.all([1, 2, 3, 4].map(() => database.openTable("handbook")));
  const outcomes = await Promise.allSettled(tables.map((table) => table.optimize()));
  await sink.close();
  return { lost: outcomes.filter(({ status }) => status === "rejected").length };
}

const answer = await (task === "fill" ? fill() : quarrel());
console.log(JSON.stringify(answer));
