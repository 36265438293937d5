import { asyncProperty, assert, type Arbitrary } from "fast-check";
import {
  array,
  boolean,
  constantFrom,
  integer,
  option,
  record,
  sample,
  subarray,
  tuple,
} from "fast-check";
import { describe, expect, it } from "vitest";
import type { Collection, Filter } from "../../../../src/contracts/index.ts";
import { checkFilter, meetsConditions } from "../../../../src/records/filter.ts";
import {
  lawFields,
  makeRecord,
  makeRecords,
  plainOf,
  toDelete,
  toUpsert,
  writeAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { milvusServers } from "../../support/milvus-sink.ts";
import { useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();

/** Texts that have to be quoted, or look like a part of an expression. */
const oddTexts = [
  "",
  "plain",
  `it's "quoted"`,
  `q"] or id in ["b`,
  "C:\\new\\x",
  "ends with \\",
  "first\nsecond\r\nthird\ttab",
  "日本語 🙂 e\u0301",
  "nul\u0000 bell\u0007 \u2028",
  "100%_{x}",
];
const text = constantFrom(...oddTexts);
const year = constantFrom(-1, 0, 2020, 2021, 9_007_199_254_740_991, -9_007_199_254_740_991);
const rating = constantFrom(-1.5, 0, 0.1, 2, 1e-7, 1e21);
const published = constantFrom(-1, 0, 1_700_000_000_123);
const tags = subarray(oddTexts, { maxLength: 3 });

const fields = record(
  { language: text, year, rating, public: boolean(), published, tags },
  { requiredKeys: [] },
);
const condition: Arbitrary<Filter[number]> = tuple(
  constantFrom("=", "!=", "in", "<", "<=", ">", ">="),
  constantFrom(
    ...(["document", "title", "language"] as const).map((field) => ({ field, value: text })),
    { field: "year", value: constantFrom(0, 2020, 2020.5, 9_007_199_254_740_991, 1e300, -1e300) },
    { field: "rating", value: rating },
    { field: "published", value: published },
    { field: "public", value: boolean() },
    { field: "tags", value: text },
  ),
)
  .filter(([operator, { field }]) => !/[<>]/.test(operator) || !["public", "tags"].includes(field))
  .chain(([operator, { field, value }]) =>
    (/[<>]/.test(operator)
      ? (value as Arbitrary<string>)
      : array(value as Arbitrary<string>, { minLength: 1, maxLength: 3 })
    ).map((given) => ({ field, operator, value: given }) as Filter[number]),
  );

async function scanned(opened: Collection): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of opened.scan({ pipeline: "law" }, signal)) {
    ids.push(...page.map(({ id }) => id));
  }
  return ids;
}

function byId<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return items.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    describe("a filter", () => {
      it("finds exactly the records that meet it, whatever they lack and whatever is in it", async () => {
        const { opened } = await milvus.create();
        const drawn = sample(tuple(text, option(text), fields), { numRuns: 60, seed: 7 });
        const records = drawn.map(([document, title, given], index) => {
          const kept = title === null ? {} : { title };
          return makeRecord(index, 8, { document, ...kept, fields: given });
        });
        await writeAll(opened, records.map(toUpsert), signal);
        const filters = array(condition, { minLength: 1, maxLength: 3 });
        await assert(
          asyncProperty(filters, async (filter) => {
            const conditions = checkFilter(filter, lawFields);
            const expected = records.filter((each) => meetsConditions(each, conditions));
            expect(await opened.count(filter, signal)).toBe(expected.length);
          }),
          { numRuns: name === "milvus" ? 60 : 200, seed: 11 },
        );
      });
    });

    describe("a record", () => {
      it("keeps what is odd about it, and is deleted by an odd id alone", async () => {
        const { opened } = await milvus.create();
        const records = oddTexts.slice(1).map((odd, index) =>
          makeRecord(index, 8, {
            id: odd,
            text: odd,
            title: odd,
            headings: [odd, ""],
            fields: { language: odd, tags: [odd] },
            metadata: { [odd]: [odd, { odd }] },
          }),
        );
        await opened.write(records.map(toUpsert), signal);
        const ids = records.map(({ id }) => id);
        const stored = await opened.read(ids, { vectors: false }, signal);
        expect(byId(stored).map(plainOf)).toEqual(byId(records).map(plainOf));
        for (const [index, each] of records.entries()) {
          await opened.write([toDelete(each)], signal);
          expect(await opened.count(undefined, signal)).toBe(records.length - index - 1);
        }
      });

      it("may fill its fields to the last byte", async () => {
        const { opened } = await milvus.create();
        const full = makeRecord(1, 8, {
          text: `${"é".repeat(32_767)}x`,
          headings: Array.from({ length: 4_096 }, (_, index) => `h${index}`),
          metadata: { long: "x".repeat(65_536 - 11) },
        });
        const { failed } = await opened.write([toUpsert(full)], signal);
        expect([...failed.values()]).toEqual([]);
        const [stored] = await opened.read([full.id], { vectors: false }, signal);
        expect(stored?.text).toBe(full.text);
        expect(stored?.headings).toEqual(full.headings);
        expect(stored?.metadata).toEqual(full.metadata);
      });
    });

    describe("a scan", () => {
      it(
        "gives each record once, over segments, new versions, deletes and many pages",
        { timeout: 120_000 },
        async () => {
          const { collection, opened } = await milvus.create();
          const records = makeRecords(13_000, 8);
          const flush = async (): Promise<void> => {
            const { status } = await milvus.client.flushSync({ collection_names: [collection] });
            expect(status.code).toBe(0);
          };
          await writeAll(opened, records.slice(0, 6_000).map(toUpsert), signal);
          await flush();
          await writeAll(opened, records.slice(4_000).map(toUpsert), signal);
          await writeAll(opened, records.slice(5_000, 7_000).map(toDelete), signal);
          await flush();
          await writeAll(opened, records.slice(6_500, 7_500).map(toUpsert), signal);
          const expected = [...records.slice(0, 5_000), ...records.slice(6_500)];
          const ids = expected.map(({ id }) => id).toSorted();
          expect((await scanned(opened)).toSorted()).toEqual(ids);
          expect(await opened.count(undefined, signal)).toBe(ids.length);
        },
      );

      it("gives what stays exactly once while others write", { timeout: 120_000 }, async () => {
        const { opened } = await milvus.create();
        const stays = makeRecords(11_000, 8);
        await writeAll(opened, stays.map(toUpsert), signal);
        const seen: string[] = [];
        let pages = 0;
        for await (const page of opened.scan({ pipeline: "law" }, signal)) {
          pages += 1;
          seen.push(...page.map(({ id }) => id));
          await writeAll(opened, makeRecords(1_000, 8).map(toUpsert), signal);
          await writeAll(opened, stays.slice(0, 1_000).map(toUpsert), signal);
        }
        expect(pages).toBeGreaterThan(1);
        expect(new Set(seen).size).toBe(seen.length);
        const given = new Set(seen);
        expect(stays.filter(({ id }) => !given.has(id))).toEqual([]);
      });
    });

    describe("a read", () => {
      it("sees what was acknowledged before it, to anyone", async () => {
        const { collection, opened } = await milvus.create();
        const watcher = await milvus.makeSink(collection).open(signal);
        const steps = integer({ min: 1, max: 5 });
        await assert(
          asyncProperty(steps, async (count) => {
            const records = makeRecords(count, 8);
            await opened.write(records.map(toUpsert), signal);
            expect(await watcher.count(undefined, signal)).toBe(count);
            await opened.write(records.map(toDelete), signal);
            expect(await watcher.count(undefined, signal)).toBe(0);
          }),
          { numRuns: 5 },
        );
      });
    });
  });
}
