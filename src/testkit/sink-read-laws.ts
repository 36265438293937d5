import type { Collection, Filter, VectorRecord } from "../contracts/index.ts";
import { abortedSignal, checkEqual, checkRejects, checkSame, checkThat } from "./check.ts";
import { checkPrompt, checkVector, collect } from "./check.ts";
import { lawBook, type LawContext } from "./law.ts";
import {
  makeAngle,
  makeRecord,
  makeRecords,
  openPlace,
  scanIds,
  toDelete,
  upsertAll,
  writeAll,
  type SinkHarness,
} from "./sink-harness.ts";

const book = lawBook<SinkHarness>();
const { law } = book;

/** Laws about `read`, `count`, `scan` and `search`. */
export const sinkReadLaws = book.definitions;

law("reads those of the ids that exist, each once", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const records = makeRecords(300, dimension);
  await upsertAll(collection, records, context.signal);
  const absent = makeRecords(20, dimension);
  const ids = [...absent, ...records].map((record) => record.id).toReversed();
  const read = await collection.read(ids, { vectors: false }, context.signal);
  const readIds = read.map((record) => record.id);
  checkSame(
    readIds,
    records.map((record) => record.id),
    "the ids read",
  );
  checkEqual(await collection.read([], { vectors: true }, context.signal), [], "a read of no ids");
});

law("gives each record its own vector, and only when asked", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const records = makeRecords(40, dimension);
  await upsertAll(collection, records, context.signal);
  const byId = new Map(records.map((record) => [record.id, record]));
  const withVectors = await collection.read([...byId.keys()], { vectors: true }, context.signal);
  const pages = await collect(collection.scan({ pipeline: "law", vectors: true }, context.signal));
  for (const stored of [...withVectors, ...pages.flat()]) {
    const expected = byId.get(stored.id)?.vector ?? new Float32Array();
    checkVector(stored.vector, expected, `the vector of \`${stored.id}\``);
  }
  const without = await collection.read([...byId.keys()], { vectors: false }, context.signal);
  const bare = await collect(collection.scan({ pipeline: "law" }, context.signal));
  const surplus = [...without, ...bare.flat()].filter((stored) => stored.vector !== undefined);
  checkEqual(surplus.length, 0, "records with a vector that nobody asked for");
});

law(
  "scans each record of the pipeline exactly once, and nobody else's",
  async (harness, context) => {
    const { place, collection, dimension } = await openPlace(harness, context);
    const ours = makeRecords(1_203, dimension);
    const theirs = makeRecords(57, dimension, { pipeline: "other" });
    const neighbour = await (await place.connect("other")).open(context.signal);
    await upsertAll(collection, ours, context.signal);
    await upsertAll(neighbour, theirs, context.signal);
    for (const [name, records] of Object.entries({ law: ours, other: theirs, nobody: [] })) {
      const ids = records.map((record) => record.id);
      checkSame(await scanIds(collection, name, context.signal), ids, `a scan of \`${name}\``);
    }
  },
);

law("tells in a scan whose each record is and which version", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const record = makeRecord(3, dimension);
  await upsertAll(collection, [record], context.signal);
  const pages = await collect(collection.scan({ pipeline: "law" }, context.signal));
  const headers = pages.flat().map(headerOf);
  checkEqual(headers, [headerOf(record)], "the headers of the scan");
});

law(
  "scans in pages of bounded size, and survives a reader that stops early",
  async (harness, context) => {
    const { collection, dimension } = await openPlace(harness, context);
    const records = makeRecords(50, dimension);
    await upsertAll(collection, records, context.signal);
    for await (const page of collection.scan({ pipeline: "law" }, context.signal)) {
      checkThat(page.length <= 10_000, "the records of one page", page.length, "at most 10,000");
      break;
    }
    const ids = records.map((record) => record.id);
    checkSame(await scanIds(collection, "law", context.signal), ids, "the next scan");
  },
);

law("ends a scan whose signal aborts promptly and with a rejection", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  await upsertAll(collection, makeRecords(10, dimension), context.signal);
  const scan = collect(collection.scan({ pipeline: "law" }, abortedSignal()));
  const outcome = await checkPrompt(scan, "the aborted scan");
  checkThat("error" in outcome, "the aborted scan", outcome, "a rejection");
});

law("rejects reads, counts and searches whose signal has aborted", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const record = makeRecord(1, dimension);
  await upsertAll(collection, [record], context.signal);
  const signal = abortedSignal();
  await checkRejects(collection.read([record.id], { vectors: false }, signal), "the aborted read");
  await checkRejects(collection.count(undefined, signal), "the aborted count");
  const search = collection.search({ vector: record.vector, k: 1 }, signal);
  await checkRejects(search, "the aborted search");
});

const conditions: readonly (readonly [Filter[number], readonly number[]])[] = [
  [{ field: "source", operator: "=", value: "docs" }, [0, 1, 2, 3]],
  [{ field: "document", operator: "=", value: "docs:page-2.md" }, [2]],
  [{ field: "document", operator: "in", value: ["docs:page-0.md", "docs:page-3.md"] }, [0, 3]],
  [{ field: "title", operator: "=", value: "Title 1" }, [1]],
  [{ field: "uri", operator: "=", value: "file:///3" }, [3]],
  [{ field: "language", operator: "=", value: "de" }, [0, 2]],
  [{ field: "language", operator: "!=", value: "de" }, [1, 3]],
  [{ field: "language", operator: "=", value: ["en", "fr"] }, [1, 3]],
  [{ field: "language", operator: "in", value: ["de", "fr"] }, [0, 2, 3]],
  [{ field: "year", operator: "=", value: 2021 }, [1]],
  [{ field: "year", operator: "<", value: 2022 }, [0, 1]],
  [{ field: "year", operator: "<=", value: 2022 }, [0, 1, 2]],
  [{ field: "year", operator: "in", value: [2020, 2023, 1999] }, [0, 3]],
  [{ field: "rating", operator: ">", value: 1.5 }, [2, 3]],
  [{ field: "rating", operator: ">=", value: 1.5 }, [1, 2, 3]],
  [{ field: "public", operator: "=", value: true }, [0, 2]],
  [{ field: "public", operator: "!=", value: true }, [1, 3]],
  [{ field: "published", operator: ">=", value: 1_700_000_002_000 }, [2, 3]],
  [{ field: "published", operator: "=", value: 1_700_000_001_000 }, [1]],
];

for (const [condition, expected] of conditions) {
  const { field, operator, value } = condition;
  law(`finds by \`${field} ${operator} ${JSON.stringify(value)}\``, async (harness, context) => {
    const { collection, records } = await openFiltered(harness, context);
    const ids = expected.map((index) => records[index]?.id ?? "");
    await checkFilter(collection, [condition], ids, context.signal);
  });
}

law("finds only what meets every condition", async (harness, context) => {
  const { collection, records } = await openFiltered(harness, context);
  const both: Filter = [
    { field: "language", operator: "=", value: "de" },
    { field: "year", operator: ">", value: 2020 },
  ];
  await checkFilter(collection, both, [records[2]?.id ?? ""], context.signal);
  const neither: Filter = [...both, { field: "public", operator: "=", value: false }];
  await checkFilter(collection, neither, [], context.signal);
});

law(
  "counts all records without a filter, and each pipeline's with one",
  async (harness, context) => {
    const { place, collection, dimension } = await openPlace(harness, context);
    const neighbour = await (await place.connect("other")).open(context.signal);
    await upsertAll(collection, makeRecords(5, dimension), context.signal);
    await upsertAll(neighbour, makeRecords(3, dimension, { pipeline: "other" }), context.signal);
    checkEqual(await collection.count(undefined, context.signal), 8, "the count of all");
    const filter: Filter = [{ field: "pipeline", operator: "=", value: "other" }];
    checkEqual(
      await collection.count(filter, context.signal),
      3,
      "the count of the other pipeline",
    );
  },
);

law("finds the nearest vectors, the nearest first", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const angles = [80, 10, 170, 40, 120, 0, 60];
  const records = angles.map((angle, index) =>
    makeRecord(index, dimension, { vector: makeAngle(angle, dimension) }),
  );
  await upsertAll(collection, records, context.signal);
  const nearest = [0, 10, 40, 60].map((angle) => records[angles.indexOf(angle)]?.id);
  const vector = makeAngle(0, dimension);
  const hits = await collection.search({ vector, k: 4 }, context.signal);
  const ids = hits.map((hit) => hit.record.id);
  checkEqual(ids, nearest, "the ids found");
  const scores = hits.map((hit) => hit.score);
  const sorted = scores.toSorted((left, right) => right - left);
  checkEqual(scores, sorted, "the scores, largest first");
});

law("scores by cosine similarity in a cosine collection", async (harness, context) => {
  const { collection, dimension, spec } = await openPlace(harness, context);
  const angles = [0, 60, 90, 180];
  const records = angles.map((angle, index) =>
    makeRecord(index, dimension, { vector: makeAngle(angle, dimension) }),
  );
  await upsertAll(collection, records, context.signal);
  const request = { vector: makeAngle(0, dimension), k: 4 };
  const hits = await collection.search(request, context.signal);
  checkEqual(hits.length, 4, "the hits");
  if (spec.metric !== "cosine") return;
  for (const [index, expected] of [1, 0.5, 0, -1].entries()) {
    const score = hits[index]?.score ?? NaN;
    const near = Math.abs(score - expected) < 1e-3;
    checkThat(near, `the score at ${angles[index]} degrees`, score, `about ${expected}`);
  }
});

law("finds no more than asked, and only what the filter lets through", async (harness, context) => {
  const { collection, records } = await openFiltered(harness, context);
  const [first] = records;
  const vector = first?.vector ?? new Float32Array();
  const two = await collection.search({ vector, k: 2 }, context.signal);
  checkEqual(two.length, 2, "hits of k = 2");
  const filter: Filter = [{ field: "language", operator: "!=", value: "de" }];
  const hits = await collection.search({ vector, k: 10, filter }, context.signal);
  checkSame(
    hits.map((hit) => hit.record.id),
    [records[1]?.id ?? "", records[3]?.id ?? ""],
    "the ids found with a filter",
  );
});

law("finds nothing in an empty collection", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const vector = makeAngle(0, dimension);
  checkEqual(await collection.search({ vector, k: 5 }, context.signal), [], "the hits");
  checkEqual(await scanIds(collection, "law", context.signal), [], "the ids of a scan");
  checkEqual(await collection.count(undefined, context.signal), 0, "the count");
});

law("keeps every record when it is optimised", async (harness, context) => {
  const { collection, dimension } = await openPlace(harness, context);
  const records = makeRecords(60, dimension);
  for (let start = 0; start < 60; start += 20) {
    await upsertAll(collection, records.slice(start, start + 20), context.signal);
  }
  await writeAll(collection, records.slice(0, 10).map(toDelete), context.signal);
  await collection.optimize?.(context.signal);
  const ids = records.slice(10).map((record) => record.id);
  checkSame(await scanIds(collection, "law", context.signal), ids, "the ids of a scan");
  await upsertAll(collection, records, context.signal);
  checkEqual(await collection.count(undefined, context.signal), 60, "the count after more writes");
});

async function openFiltered(harness: SinkHarness, context: LawContext) {
  const { collection, dimension } = await openPlace(harness, context);
  const records = ["de", "en", "de", "fr"].map((language, index) =>
    makeRecord(index, dimension, {
      title: `Title ${index}`,
      uri: `file:///${index}`,
      fields: {
        language,
        year: 2020 + index,
        rating: index + 0.5,
        public: index % 2 === 0,
        published: 1_700_000_000_000 + index * 1_000,
        tags: [language],
      },
    }),
  );
  await upsertAll(collection, records, context.signal);
  return { collection, records };
}

async function checkFilter(
  collection: Collection,
  filter: Filter,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  checkEqual(await collection.count(filter, signal), ids.length, "the count");
  const vector = makeAngle(30, collection.dimension);
  const hits = await collection.search({ vector, k: 10, filter }, signal);
  checkSame(
    hits.map((hit) => hit.record.id),
    ids,
    "the ids found by a search",
  );
}

function headerOf(
  record: Pick<
    VectorRecord,
    "id" | "document" | "source" | "fingerprint" | "revision" | "pipeline"
  >,
) {
  const { id, document, source, fingerprint, revision, pipeline } = record;
  return { id, document, source, fingerprint, revision, pipeline };
}
