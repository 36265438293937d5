import type { Collection, VectorRecord } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import {
  abortedSignal,
  checkEqual,
  checkFault,
  checkPrompt,
  checkRejects,
  checkSame,
  checkThat,
  checkVector,
  outcomeOf,
} from "./check.ts";
import { lawBook } from "./law.ts";
import {
  makeRecord,
  makeRecords,
  makeVector,
  openPlace,
  plainOf,
  readOne,
  scanIds,
  toDelete,
  toUpsert,
  upsertAll,
  writeAll,
  type SinkHarness,
} from "./sink-harness.ts";

const book = lawBook<SinkHarness>();
const { law, lawWith } = book;

/** Laws about `write`. */
export const sinkWriteLaws = book.definitions;

const wrongLengths: readonly (readonly [string, (dimension: number) => number])[] = [
  ["one number too short", (dimension) => dimension - 1],
  ["one number too long", (dimension) => dimension + 1],
  ["half as long", (dimension) => Math.floor(dimension / 2)],
  ["twice as long", (dimension) => dimension * 2],
  ["empty", () => 0],
];

for (const [what, lengthOf] of wrongLengths) {
  law(`refuses a vector that is ${what}, before anything is written`, async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const old = makeRecord(1, dimension);
    await upsertAll(collection, [old], context.signal);
    const wrong = makeRecord(9, dimension, { vector: makeVector(9, lengthOf(dimension)) });
    const refusal = collection.write(
      [toUpsert(makeRecord(2, dimension)), toUpsert(wrong), toDelete(old)],
      context.signal,
    );
    const fault = await checkFault(refusal, "a write with a wrong vector", "sink.dimension");
    checkEqual(fault.ambiguous, false, "whether the refusal leaves open what was written");
    checkSame(await scanIds(collection, "law", context.signal), [old.id], "the records kept");
  });
}

for (const number of [NaN, Infinity, -Infinity]) {
  law(
    `refuses a vector that holds ${number}, and stores nothing of it`,
    async (harness, context) => {
      const { collection, dimension } = await openPlace(harness, context);
      const vector = makeVector(9, dimension);
      vector[dimension - 1] = number;
      const wrong = makeRecord(9, dimension, { vector });
      const outcome = await outcomeOf(collection.write([toUpsert(wrong)], context.signal));
      const refused = "error" in outcome || outcome.value.failed.has(wrong.id);
      checkThat(refused, "a write with such a vector", outcome, "a refusal");
      checkEqual(await readOne(collection, wrong.id, context.signal), undefined, "the record");
    },
  );
}

law("keeps everything of a record, and its vector bit by bit", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const full = makeRecord(1, dimension, {
    title: "Installing",
    uri: "file:///guide/install.md",
    page: 12,
    headings: ["Guide", "Installing", "On Windows"],
    fields: {
      language: "de",
      year: 2024,
      rating: 4.25,
      public: true,
      published: 1_700_000_000_123,
      tags: ["alpha", "beta"],
    },
    metadata: { nested: { list: [1, "two", null, { three: false }] }, empty: {} },
  });
  const sparse = makeRecord(2, dimension, { headings: [], fields: { language: "en" } });
  await upsertAll(collection, [full, sparse], context.signal);
  for (const record of [full, sparse]) {
    const stored = await readOne(collection, record.id, context.signal);
    checkEqual(plainOf(stored), plainOf(record), "the record as read");
    checkVector(stored?.vector, record.vector, "the vector as read");
  }
});

const oddTexts: readonly (readonly [string, string])[] = [
  ["quotes", `it's "quoted" and \`ticked\``],
  ["line ends", "first\nsecond\r\nthird\ttab"],
  ["backslashes and wild cards", "C:\\new\\100%_*?[a]"],
  ["what looks like a query", "x' OR '1'='1'; DROP TABLE records; --"],
  ["characters beyond the basic plane", "日本語 🙂 é e\u0301 👩‍👩‍👧"],
];

for (const [what, odd] of oddTexts) {
  law(`keeps ${what} in ids of documents and in texts`, async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const record = makeRecord(1, dimension, {
      document: `docs:${odd}`,
      text: odd,
      title: odd,
      headings: [odd],
      fields: { language: odd },
      metadata: { [odd]: odd },
    });
    const other = makeRecord(2, dimension);
    await upsertAll(collection, [record, other], context.signal);
    const stored = await readOne(collection, record.id, context.signal);
    checkEqual(plainOf(stored), plainOf(record), "the record as read");
    for (const field of ["document", "language"]) {
      const value = field === "document" ? record.document : odd;
      const filter = [{ field, operator: "=", value }] as const;
      const count = await collection.count(filter, context.signal);
      checkEqual(count, 1, `records whose \`${field}\` is that`);
    }
  });
}

law("keeps a text of 200,000 characters whole", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const text = Array.from({ length: 20_000 }, (_, index) => `word-${index % 90}é `).join("");
  const record = makeRecord(1, dimension, { text });
  await upsertAll(collection, [record], context.signal);
  const stored = await readOne(collection, record.id, context.signal);
  checkEqual(stored?.text?.length, text.length, "the length of the text as read");
  checkEqual(stored?.text === text, true, "whether the text is the same");
});

law("holds a record once, however often it is upserted", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const records = makeRecords(3, dimension);
  for (let time = 0; time < 3; time += 1) await upsertAll(collection, records, context.signal);
  const ids = records.map((record) => record.id);
  checkSame(await scanIds(collection, "law", context.signal), ids, "the ids of a scan");
  checkEqual(await collection.count(undefined, context.signal), 3, "the count");
});

law("replaces a record as a whole", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const old = makeRecord(1, dimension, {
    title: "Old",
    page: 3,
    fields: { language: "de", year: 2020 },
    metadata: { old: true },
  });
  await upsertAll(collection, [old], context.signal);
  const next = makeRecord(2, dimension, { id: old.id, fields: { year: 2021 } });
  await upsertAll(collection, [next], context.signal);
  const stored = await readOne(collection, old.id, context.signal);
  checkEqual(plainOf(stored), plainOf(next), "the record as read");
  checkVector(stored?.vector, next.vector, "the vector as read");
  const filter = [{ field: "language", operator: "=", value: "de" }] as const;
  checkEqual(await collection.count(filter, context.signal), 0, "records found by an old field");
});

law(
  "succeeds in deleting what is not there, and deletes nothing else",
  async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const kept = makeRecord(1, dimension);
    await upsertAll(collection, [kept], context.signal);
    const absent = makeRecords(3, dimension).map(toDelete);
    await writeAll(collection, absent, context.signal);
    await writeAll(collection, absent, context.signal);
    checkSame(await scanIds(collection, "law", context.signal), [kept.id], "the ids of a scan");
  },
);

law("deletes exactly the ids that it is given", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const records = makeRecords(20, dimension);
  await upsertAll(collection, records, context.signal);
  const [gone, kept] = [records.slice(5, 12), [...records.slice(0, 5), ...records.slice(12)]];
  await writeAll(collection, gone.map(toDelete), context.signal);
  const keptIds = kept.map((record) => record.id);
  checkSame(await scanIds(collection, "law", context.signal), keptIds, "the ids of a scan");
  const left = await collection.read(
    gone.map((record) => record.id),
    { vectors: false },
    context.signal,
  );
  checkEqual(left, [], "what can be read of the deleted records");
  checkEqual(await collection.count(undefined, context.signal), kept.length, "the count");
});

law("applies a batch alike in whatever order its operations stand", async (harness, context) => {
  const outcomes: string[][] = [];
  for (const turn of [0, 1, 2]) {
    const { collection, dimension } = await openPlace(harness, context);
    const records = makeRecords(8, dimension).map((record, index) => ({
      ...record,
      id: `00000000-0000-8000-8000-${`${index}`.padStart(12, "0")}`,
    }));
    await upsertAll(collection, records.slice(0, 4), context.signal);
    const operations = [
      ...records.slice(2, 4).map(toDelete),
      ...records.slice(4).map(toUpsert),
      ...records.slice(0, 1).map((record) => toUpsert({ ...record, text: "New." })),
    ];
    const ordered =
      turn === 0
        ? operations
        : turn === 1
          ? operations.toReversed()
          : operations.toSorted((left, right) => left.kind.localeCompare(right.kind));
    await writeAll(collection, ordered, context.signal);
    outcomes.push(await contentOf(collection, records, context.signal));
  }
  checkEqual(outcomes[0]?.length, 6, "the records after the batch");
  checkEqual(outcomes[1], outcomes[0], "the records after the reversed batch");
  checkEqual(outcomes[2], outcomes[0], "the records after the batch with deletes first");
});

law("does nothing, and fails nothing, when a write is empty", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const kept = makeRecord(1, dimension);
  await upsertAll(collection, [kept], context.signal);
  const { failed } = await collection.write([], context.signal);
  checkEqual(failed.size, 0, "the operations that failed");
  checkSame(await scanIds(collection, "law", context.signal), [kept.id], "the ids of a scan");
});

law(
  "takes as many operations at once as its limits say, to the last one",
  async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const limit = collection.limits.operationsPerWrite;
    const records = makeRecords(Math.min(limit, harness.largestWrite ?? 1_000), dimension);
    await writeAll(collection, records.map(toUpsert), context.signal);
    const ids = records.map((record) => record.id);
    checkSame(await scanIds(collection, "law", context.signal), ids, "the ids of a scan");
    await writeAll(collection, records.map(toDelete), context.signal);
    checkEqual(
      await collection.count(undefined, context.signal),
      0,
      "the count after deleting all",
    );
  },
);

law("takes as many writes at a time as its limits say", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const writes = Math.min(collection.limits.concurrentWrites, 8);
  const batches = Array.from({ length: writes }, () => makeRecords(10, dimension));
  await Promise.all(batches.map((batch) => upsertAll(collection, batch, context.signal)));
  const ids = batches.flat().map((record) => record.id);
  checkSame(await scanIds(collection, "law", context.signal), ids, "the ids of a scan");
});

law("has limits that are whole positive numbers", async (harness, context) => {
  const { limits } = (await openPlace(harness, context)).collection;
  for (const name of ["operationsPerWrite", "bytesPerWrite", "concurrentWrites"] as const) {
    const limit = limits[name];
    checkThat(Number.isSafeInteger(limit) && limit > 0, name, limit, "a whole number above 0");
  }
  const { writeHorizonMs } = limits;
  const finite = Number.isFinite(writeHorizonMs) && writeHorizonMs >= 0;
  checkThat(finite, "writeHorizonMs", writeHorizonMs, "a finite number of milliseconds");
});

law("weighs an operation no lighter than its vector and texts", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const record = makeRecord(1, dimension, {
    text: "é".repeat(1_000),
    fields: { language: "x".repeat(500) },
    metadata: { long: "y".repeat(2_000) },
  });
  const least = record.vector.byteLength + 2_000 + 500 + 2_000;
  const size = collection.sizeOf(toUpsert(record));
  checkThat(size >= least, "the size of an upsert", size, `at least ${least} bytes`);
  const deletion = collection.sizeOf(toDelete(record));
  checkThat(deletion > 0, "the size of a delete", deletion, "more than 0 bytes");
});

law("rejects a write whose signal has aborted, and writes nothing", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const record = makeRecord(1, dimension);
  await checkRejects(collection.write([toUpsert(record)], abortedSignal()), "the aborted write");
  checkEqual(await collection.count(undefined, context.signal), 0, "the count");
});

law(
  "ends promptly when a write is aborted on its way, and stays usable",
  async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const records = makeRecords(50, dimension);
    const controller = new AbortController();
    const write = collection.write(records.map(toUpsert), controller.signal);
    controller.abort(new Error("The law aborts."));
    await checkPrompt(write, "the aborted write");
    await upsertAll(collection, records, context.signal);
    const ids = records.map((record) => record.id);
    checkSame(await scanIds(collection, "law", context.signal), ids, "the ids of a scan");
  },
);

lawWith(
  ["reject"],
  "reports a failure by the id that failed, wherever it stands",
  async (harness, context) => {
    for (const position of [0, 3, 6]) {
      const { place, collection, dimension } = await openPlace(harness, context);
      const records = makeRecords(7, dimension);
      const guilty = records.filter((_, index) => index === position);
      const ids = guilty.map((record) => record.id);
      await harness.reject(place, ids);
      const outcome = await outcomeOf(collection.write(records.map(toUpsert), context.signal));
      if ("error" in outcome) {
        checkSmaller(outcome.error);
        checkEqual(
          await collection.count(undefined, context.signal),
          0,
          "records after a rejection",
        );
        continue;
      }
      checkSame(outcome.value.failed.keys(), ids, "the ids reported as failed");
      for (const fault of outcome.value.failed.values()) {
        checkEqual(isFault(fault), true, "whether the failure is a `Fault`");
      }
      const good = records.filter((record) => !ids.includes(record.id)).map((record) => record.id);
      checkSame(await scanIds(collection, "law", context.signal), good, "the ids of a scan");
    }
  },
);

lawWith(
  ["disconnect"],
  "rejects with a component fault when the store is unreachable",
  async (harness, context) => {
    const { place, sink, collection, dimension } = await openPlace(harness, context);
    await harness.disconnect(place);
    const write = collection.write([toUpsert(makeRecord(1, dimension))], context.signal);
    const fault = await checkFault(write, "a write to nowhere", "sink.");
    checkEqual(fault.scope, "component", "the scope of the fault");
    await checkFault(sink.check(context.signal), "the check", "sink.");
  },
);

function checkSmaller(error: unknown): void {
  const advice = isFault(error) ? `${error.retry}, ambiguous ${error.ambiguous}` : error;
  checkEqual(advice, "smaller, ambiguous false", "the advice of a rejected write");
}

async function contentOf(
  collection: Collection,
  records: readonly VectorRecord[],
  signal: AbortSignal,
): Promise<string[]> {
  const ids = records.map((record) => record.id);
  const stored = await collection.read(ids, { vectors: false }, signal);
  return stored.map((record) => `${record.id} ${record.text}`).toSorted();
}
