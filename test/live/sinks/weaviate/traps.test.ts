import { describe, expect, it } from "vitest";
import type { Collection, Filter, VectorRecord } from "../../../../src/contracts/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  scanIds,
  toDelete,
  toUpsert,
  upsertAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import {
  create,
  dimension,
  signal,
  useClient,
  useSink,
} from "../../support/weaviate-collection.ts";
import { askWeaviate } from "../../support/weaviate-sink.ts";

/** The numbers of the records that a filter lets through, by count and by search. */
async function found(
  collection: Collection,
  records: readonly VectorRecord[],
  filter: Filter,
): Promise<readonly number[]> {
  const vector = makeRecord(1, dimension).vector;
  const hits = await collection.search({ vector, k: 100, filter }, signal);
  const ids = new Set(hits.map(({ record }) => record.id));
  expect(await collection.count(filter, signal)).toBe(ids.size);
  return [...records.entries()].filter(([, { id }]) => ids.has(id)).map(([index]) => index);
}

function tags(operator: "=" | "!=", value: string | string[]): Filter {
  return [{ field: "tags", operator, value }];
}

describeLive("weaviate", ({ ports }) => {
  describe("the official client", () => {
    it("sees what was written: vectors, types, times and lists", async () => {
      const sink = useSink(ports);
      const record = makeRecord(1, dimension, {
        title: "Title",
        page: 3,
        fields: {
          language: "de",
          year: -5,
          rating: 1.5,
          public: false,
          published: 1.7e12,
          tags: ["a"],
        },
        metadata: { deep: { list: [1, null] } },
      });
      await upsertAll(await create(sink), [record], signal);
      const client = await useClient(ports);
      const stored = await client.collections
        .use(sink.collection)
        .query.fetchObjectById(record.id, { includeVector: true });
      expect(stored?.vectors).toEqual({ default: [...record.vector] });
      expect(stored?.properties).toMatchObject({
        document: "docs:page-1.md",
        page: 3,
        year: -5,
        rating: 1.5,
        public: false,
        published: new Date(1.7e12),
        tags: ["a"],
        headings: ["Guide", "Part 1"],
        metadata: '{"deep":{"list":[1,null]}}',
      });
    });

    it("finds texts by their words, which `text` is indexed for", async () => {
      const sink = useSink(ports);
      const records = makeRecords(3, dimension).map((record, index) => ({
        ...record,
        text: index === 1 ? "A Xylophone, quite loud." : "Nothing.",
      }));
      await upsertAll(await create(sink), records, signal);
      const { query } = (await useClient(ports)).collections.use(sink.collection);
      const { objects } = await query.bm25("xylophone");
      expect(objects.map(({ uuid }) => uuid)).toEqual([records[1]?.id]);
    });
  });

  describe("values at the borders", () => {
    it("are found by filters: integers of 53 bits, times before 1970, texts of 100 KB", async () => {
      const collection = await create(useSink(ports));
      const max = Number.MAX_SAFE_INTEGER;
      const long = "é".repeat(50_000);
      const records = [
        { year: max, published: Date.UTC(1678, 0, 1), language: long },
        { year: -max, published: -1, language: `${long}x` },
        { year: 0, published: Date.UTC(2262, 0, 1) - 1, language: 'it\'s "q" \\ \n 🙂 *?' },
        {},
      ].map((fields, index) => makeRecord(index, dimension, { fields }));
      await upsertAll(collection, records, signal);
      const cases: readonly (readonly [Filter[number], readonly number[]])[] = [
        [{ field: "year", operator: "=", value: max }, [0]],
        [{ field: "year", operator: "<", value: 0 }, [1]],
        [{ field: "year", operator: ">=", value: -max }, [0, 1, 2]],
        [{ field: "year", operator: "!=", value: max }, [1, 2]],
        [{ field: "year", operator: "<", value: 0.5 }, [1, 2]],
        [{ field: "year", operator: "!=", value: 0.5 }, [0, 1, 2]],
        [{ field: "published", operator: "<", value: 0 }, [0, 1]],
        [{ field: "published", operator: ">", value: "2200-01-01" }, [2]],
        [{ field: "published", operator: "<", value: "9999-01-01" }, [0, 1, 2]],
        [{ field: "published", operator: "<", value: "0001-01-01" }, []],
        [{ field: "published", operator: "!=", value: -1 }, [0, 2]],
        [{ field: "language", operator: "=", value: long }, [0]],
        [{ field: "language", operator: "in", value: [long, `${long}x`, "none"] }, [0, 1]],
        [{ field: "language", operator: "=", value: 'it\'s "q" \\ \n 🙂 *?' }, [2]],
        [{ field: "language", operator: "!=", value: long }, [1, 2]],
        [{ field: "language", operator: "in", value: [] }, []],
      ];
      for (const [condition, expected] of cases) {
        const indexes = await found(collection, records, [condition]);
        expect(indexes, JSON.stringify(condition).slice(0, 80)).toEqual(expected);
      }
    });

    it("are found in lists, by any of their items", async () => {
      const collection = await create(useSink(ports));
      const records = [["a", "b"], ["b"], ["c d"], undefined].map((items, index) =>
        makeRecord(index, dimension, { fields: items === undefined ? {} : { tags: items } }),
      );
      await upsertAll(collection, records, signal);
      expect(await found(collection, records, tags("=", "b"))).toEqual([0, 1]);
      expect(await found(collection, records, tags("=", ["a", "c d"]))).toEqual([0, 2]);
      expect(await found(collection, records, tags("=", "c"))).toEqual([]);
      expect(await found(collection, records, tags("!=", "b"))).toEqual([2]);
      expect(await found(collection, records, tags("!=", ["a", "c d"]))).toEqual([1]);
    });
  });

  describe("a scan", () => {
    it("gives every record once while others are written and deleted", async () => {
      const collection = await create(useSink(ports));
      const kept = makeRecords(1_300, dimension);
      const passing = makeRecords(400, dimension);
      await upsertAll(collection, [...kept, ...passing], signal);
      const seen: string[] = [];
      let page = 0;
      for await (const records of collection.scan({ pipeline: "law" }, signal)) {
        seen.push(...records.map(({ id }) => id));
        const gone = passing.slice(page * 100, page * 100 + 100).map(toDelete);
        const more = makeRecords(100, dimension).map(toUpsert);
        page += 1;
        await collection.write(gone, signal);
        await collection.write(more, signal);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(kept.filter(({ id }) => !seen.includes(id))).toEqual([]);
      expect(page).toBeGreaterThan(2);
    });

    it("gives every record once in a collection of several shards", async () => {
      const collection = await create(useSink(ports, { create: { shards: 3 } }));
      const records = makeRecords(1_100, dimension);
      await upsertAll(collection, records, signal);
      const ids = await scanIds(collection, "law", signal);
      expect(ids.toSorted()).toEqual(records.map(({ id }) => id).toSorted());
    });
  });

  describe("a collection that changes under a run", () => {
    it("made anew with another dimension takes nothing more", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      await collection.setMarker(makeMarker(dimension), signal);
      await upsertAll(collection, makeRecords(2, dimension), signal);
      await askWeaviate(ports, "DELETE", `/schema/${sink.collection}`);
      const other = useSink(ports, { collection: sink.collection });
      const anew = await other.create({ dimension: 3, metric: "cosine", fields: {} }, signal);
      await anew.setMarker(makeMarker(3), signal);
      const write = collection.write(makeRecords(2, dimension).map(toUpsert), signal);
      await expect(write).rejects.toMatchObject({ code: "sink.missing", ambiguous: false });
      expect(await anew.count(undefined, signal)).toBe(0);
    });

    it("with vectors of another length than it was opened with says so", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      const client = await useClient(ports);
      await client.collections
        .use(sink.collection)
        .data.insert({ properties: { text: "Theirs." }, vectors: { default: [1, 2, 3] } });
      const records = makeRecords(2, dimension).map(toUpsert);
      await expect(collection.write(records, signal)).rejects.toMatchObject({
        code: "sink.dimension",
      });
    });

    it("that was made read-only takes nothing, says why, and goes on when it is ready again", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      const records = makeRecords(3, dimension);
      await upsertAll(collection, records, signal);
      const path = `/schema/${sink.collection}/shards`;
      const { body } = await askWeaviate(ports, "GET", path);
      const [shard] = body as readonly { readonly name: string }[];
      await askWeaviate(ports, "PUT", `${path}/${shard?.name}`, { status: "READONLY" });
      const fresh = makeRecords(2, dimension);
      await expect(collection.write(fresh.map(toUpsert), signal)).rejects.toThrow(
        /somebody made a shard read-only. Set its status to READY/,
      );
      const { failed } = await collection.write(records.map(toDelete), signal);
      expect([...failed.keys()].toSorted()).toEqual(records.map(({ id }) => id).toSorted());
      await askWeaviate(ports, "PUT", `${path}/${shard?.name}`, { status: "READY" });
      await collection.write([...records.map(toDelete), ...fresh.map(toUpsert)], signal);
      expect(await collection.count(undefined, signal)).toBe(2);
    });

    it("whose tenant was made inactive says so", async () => {
      const sink = useSink(ports, { tenant: "acme" });
      const collection = await create(sink);
      const tenant = [{ name: "acme", activityStatus: "INACTIVE" }];
      await askWeaviate(ports, "PUT", `/schema/${sink.collection}/tenants`, tenant);
      const expected = { code: "sink.not-ready", retry: "never" };
      await expect(sink.describe(signal)).rejects.toMatchObject(expected);
      const write = collection.write(makeRecords(1, dimension).map(toUpsert), signal);
      await expect(write).rejects.toMatchObject(expected);
    });
  });

  describe("a request", () => {
    it("for more hits than the server gives at once is refused by name", async () => {
      const collection = await create(useSink(ports));
      await upsertAll(collection, makeRecords(2, dimension), signal);
      const { vector } = makeRecord(1, dimension);
      expect(await collection.search({ vector, k: 10_000 }, signal)).toHaveLength(2);
      await expect(collection.search({ vector, k: 10_001 }, signal)).rejects.toThrow(
        /more is asked for than the server gives at once/,
      );
    });

    it("over the gRPC port in place of the HTTP port, and the other way round, is refused by name", async () => {
      const http = `http://127.0.0.1:${ports.http}`;
      const grpc = `http://127.0.0.1:${ports.grpc}`;
      const rest = useSink(ports, { grpc_url: http });
      await expect(rest.describe(signal)).rejects.toMatchObject({
        code: "sink.unreachable",
        retry: "never",
      });
      const swapped = useSink(ports, { url: grpc });
      await expect(swapped.describe(signal)).rejects.toThrow(/Check `url`/);
      const secure = useSink(ports, { grpc_url: grpc.replace("http:", "https:") });
      await expect(secure.describe(signal)).rejects.toThrow(/does not speak TLS/);
    });

    it("with a deletion of ids that are none deletes nothing", async () => {
      const collection = await create(useSink(ports));
      const records = makeRecords(2, dimension);
      await upsertAll(collection, records, signal);
      const odd = [`"] or id in ["`, "it's", "back\\slash", "line\nend", "", "*"];
      const operations = odd.map((id) => ({ kind: "delete", id }) as const);
      expect((await collection.write(operations, signal)).failed.size).toBe(0);
      expect(await collection.read(odd, { vectors: false }, signal)).toEqual([]);
      expect(await collection.count(undefined, signal)).toBe(2);
    });
  });
});
