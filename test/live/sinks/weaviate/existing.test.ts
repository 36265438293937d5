import { describe, expect, it } from "vitest";
import { weaviateConfig } from "../../../../connectors/sinks/weaviate/config.ts";
import { createClass } from "../../../../connectors/sinks/weaviate/class-body.ts";
import type { Collection } from "../../../../src/contracts/index.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import {
  lawFields,
  makeMarker,
  makeRecord,
  makeRecords,
  plainOf,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import {
  create,
  dimension,
  signal,
  useClient,
  useSink,
} from "../../support/weaviate-collection.ts";
import { askWeaviate, newCollection, type WeaviatePorts } from "../../support/weaviate-sink.ts";

type Body = Record<string, unknown> & { properties: Record<string, unknown>[] };

/** A collection as somebody else might have made it, with the properties that records need. */
function theirs(collection: string): Body {
  const config = weaviateConfig.parse({ url: "http://localhost", collection });
  const names = { pattern: /./, words: "anything" };
  const layout = createLayout({ sink: "s", declared: lawFields, fields: {}, omit: [], names });
  const spec = { dimension, metric: "cosine", fields: lawFields } as const;
  const body = structuredClone(
    createClass({ collection, layout, config }, spec),
  ) as unknown as Body;
  const properties = body.properties.filter(({ name }) => name !== "sluice");
  return { ...body, properties, description: "Our passages." };
}

const legacy = {
  vectorConfig: undefined,
  vectorizer: "none",
  vectorIndexType: "hnsw",
  vectorIndexConfig: { distance: "dot" },
};

function vectors(...names: readonly string[]): Record<string, unknown> {
  const vector = {
    vectorizer: { none: {} },
    vectorIndexType: "hnsw",
    vectorIndexConfig: { distance: "l2-squared" },
  };
  return { vectorConfig: Object.fromEntries(names.map((name) => [name, vector])) };
}

async function make(ports: WeaviatePorts, body: Body): Promise<void> {
  const { status, body: answer } = await askWeaviate(ports, "POST", "/schema", body);
  expect(status, JSON.stringify(answer)).toBe(200);
}

/** Writes, reads, finds and deletes records, and checks what comes back. */
async function expectUsable(collection: Collection): Promise<void> {
  const full = makeRecord(1, dimension, {
    title: "Title",
    fields: {
      language: "de",
      year: 2024,
      rating: 1.5,
      public: true,
      published: 1.7e12,
      tags: ["a"],
    },
  });
  const records = [full, ...makeRecords(9, dimension)];
  await collection.setMarker(makeMarker(dimension), signal);
  const { failed } = await collection.write(records.map(toUpsert), signal);
  expect([...failed]).toEqual([]);
  const [stored] = await collection.read([full.id], { vectors: true }, signal);
  expect(plainOf(stored)).toEqual(plainOf(full));
  expect(stored?.vector).toEqual(full.vector);
  const filter = [{ field: "language", operator: "=", value: "de" }] as const;
  const hits = await collection.search({ vector: full.vector, k: 3, filter }, signal);
  expect(hits.map(({ record }) => record.id)).toEqual([full.id]);
  await collection.write(records.slice(1).map(toDelete), signal);
  expect(await collection.count(undefined, signal)).toBe(1);
}

describeLive("weaviate", ({ ports }) => {
  describe("a collection that something else made", () => {
    it("with one vector without a name is used as it is, with its own metric", async () => {
      const collection = newCollection();
      await make(ports, { ...theirs(collection), ...legacy });
      const sink = useSink(ports, { collection });
      expect(await sink.describe(signal)).toEqual({
        metric: "dot",
        elementType: "float32",
        records: 0,
        misfits: [],
      });
      const opened = await sink.open(signal, dimension);
      expect(opened.dimension).toBe(dimension);
      await expectUsable(opened);
      expect((await sink.describe(signal))?.dimension).toBe(dimension);
    });

    it("with several vectors is used with the one that is named, and the others are left alone", async () => {
      const collection = newCollection();
      await make(ports, { ...theirs(collection), ...vectors("body", "summary") });
      const unnamed = useSink(ports, { collection });
      expect((await unnamed.describe(signal))?.misfits).toEqual([
        "It has several vectors, `body`, `summary`: name one with `vector`.",
      ]);
      await expect(unnamed.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
      const sink = useSink(ports, { collection, vector: "summary" });
      expect(await sink.describe(signal)).toMatchObject({ metric: "euclidean", misfits: [] });
      await expectUsable(await sink.open(signal, dimension));
    });

    it("with its own names and types of properties is fitted to", async () => {
      const collection = newCollection();
      const body = theirs(collection);
      const renamed: Record<string, string> = { text: "body", document: "doc_id", page: "sheet" };
      const types: Record<string, string> = { published: "int", year: "number", page: "number" };
      const properties = body.properties
        .filter(({ name }) => name !== "uri" && name !== "position")
        .map((property) => ({
          ...property,
          name: renamed[String(property["name"])] ?? property["name"],
          ...(types[String(property["name"])] === undefined
            ? {}
            : { dataType: [types[String(property["name"])]] }),
        }));
      await make(ports, { ...body, properties });
      const sink = useSink(ports, { collection, fields: renamed, omit: ["uri"] });
      expect((await sink.describe(signal))?.misfits).toEqual([]);
      const opened = await sink.open(signal, dimension);
      await expectUsable(opened);
      const before = Date.UTC(1066, 9, 14);
      const old = makeRecord(3, dimension, { page: 3, fields: { published: before, year: -44 } });
      const { failed } = await opened.write([toUpsert(old)], signal);
      expect([...failed]).toEqual([]);
      const filter = [{ field: "published", operator: "<", value: 0 }] as const;
      expect(await opened.count(filter, signal)).toBe(1);
      const [stored] = await opened.read([old.id], { vectors: false }, signal);
      expect(stored).toMatchObject({ page: 3, fields: { published: before, year: -44 } });
    });

    it("tells its dimension from one vector, also when many objects have none", async () => {
      const collection = newCollection();
      await make(ports, theirs(collection));
      const sink = useSink(ports, { collection });
      expect((await sink.describe(signal))?.dimension).toBeUndefined();
      const { data } = (await useClient(ports)).collections.use(collection);
      const bare = Array.from({ length: 600 }, (_, index) => ({
        id: `00000000-0000-8000-8000-${String(index).padStart(12, "0")}`,
        properties: { text: "bare" },
      }));
      await data.insertMany(bare);
      expect((await sink.describe(signal))?.dimension).toBeUndefined();
      const full = { properties: { text: "full" }, vectors: { default: [1, 2, 3, 4, 5] } };
      await data.insert({ ...full, id: "ffffffff-0000-8000-8000-000000000000" });
      expect(await sink.describe(signal)).toMatchObject({ dimension: 5, records: 601 });
      expect((await sink.open(signal)).dimension).toBe(5);
    });

    it("that makes vectors itself is refused by name", async () => {
      const byModule = newCollection();
      const module = { ...(vectors("body")["vectorConfig"] as object) };
      const made = { vectorizer: { "text2vec-openai": {} }, vectorIndexType: "hnsw" };
      await make(ports, { ...theirs(byModule), vectorConfig: { ...module, auto: made } });
      const sink = useSink(ports, { collection: byModule, vector: "body" });
      expect((await sink.describe(signal))?.misfits).toEqual([
        expect.stringContaining("It makes vectors itself, by `text2vec-openai` (`auto`)"),
      ]);
    });

    it("with several vectors for a record, or a metric of its own, is told apart", async () => {
      const several = newCollection();
      const config = { multivector: { enabled: true } };
      const vector = {
        vectorizer: { none: {} },
        vectorIndexType: "hnsw",
        vectorIndexConfig: config,
      };
      await make(ports, { ...theirs(several), vectorConfig: { body: vector } });
      expect(await useSink(ports, { collection: several }).describe(signal)).toMatchObject({
        elementType: "multivector",
      });
      const other = newCollection();
      const hamming = { vectorIndexConfig: { distance: "hamming" } };
      await make(ports, { ...theirs(other), ...legacy, ...hamming });
      const sink = useSink(ports, { collection: other });
      expect(await sink.describe(signal)).toMatchObject({ metric: "other", metricName: "hamming" });
      await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
    });

    it("gets a tenant, with the metric that it has; or says before that records do not fit", async () => {
      const multiTenancyConfig = { enabled: true };
      const collection = newCollection();
      await make(ports, { ...theirs(collection), ...vectors("body"), multiTenancyConfig });
      const sink = useSink(ports, { collection, tenant: "acme" });
      expect(await sink.describe(signal)).toBeUndefined();
      const made = await create(sink);
      await expectUsable(made);
      const { vector } = makeRecord(1, dimension);
      const [hit] = await made.search({ vector: vector.map((value) => value / 2), k: 1 }, signal);
      // The negative euclidean distance.
      expect(hit?.score).toBeCloseTo(-0.5);
      const other = newCollection();
      const properties = theirs(other).properties.filter(({ name }) => name !== "pipeline");
      await make(ports, { ...theirs(other), properties, multiTenancyConfig });
      const unfit = useSink(ports, { collection: other, tenant: "acme" });
      expect((await unfit.describe(signal))?.misfits).toHaveLength(1);
      await expect(create(unfit)).rejects.toMatchObject({ code: "sink.foreign" });
    });

    it("where texts are compared word by word cannot be filtered by them, and says so", async () => {
      const collection = newCollection();
      const body = theirs(collection);
      const properties = body.properties.map((property) =>
        property["name"] === "title"
          ? { ...property, tokenization: "word", indexSearchable: true }
          : property,
      );
      await make(ports, { ...body, properties });
      const opened = await useSink(ports, { collection }).open(signal, dimension);
      await expectUsable(opened);
      const filter = [{ field: "title", operator: "=", value: "Title" }] as const;
      await expect(opened.count(filter, signal)).rejects.toMatchObject({ code: "config.invalid" });
    });
  });

  describe("a collection that sluice made", () => {
    it("gets properties for fields that were declared later", async () => {
      const { language, ...later } = lawFields;
      const first = useSink(ports, {}, { fields: { language: language ?? "string" } });
      await first.create({ dimension, metric: "cosine", fields: {} }, signal);
      const sink = useSink(
        ports,
        { collection: first.collection },
        { fields: { ...later, language: "string" } },
      );
      expect((await sink.describe(signal))?.misfits).toEqual([]);
      await expectUsable(await sink.open(signal));
      expect((await sink.describe(signal))?.dimension).toBe(dimension);
    });

    it("is usable with every index, quantizer and metric that can be asked for", async () => {
      const wishes = [
        { index: "flat" },
        { index: "flat", quantizer: "bq" },
        { index: "flat", quantizer: "none" },
        { quantizer: "none", ef: 64, ef_construction: 64, max_connections: 16 },
        { quantizer: "rq", metric: "dot" },
        { quantizer: "bq" },
        { quantizer: "sq", metric: "euclidean" },
        { quantizer: "pq" },
        { shards: 3 },
        { replication_factor: 1 },
      ];
      for (const wish of wishes) {
        await expectUsable(await create(useSink(ports, { create: wish })));
      }
    });

    it("is refused with the server's reason when the server cannot make it so", async () => {
      const tooMany = create(useSink(ports, { create: { replication_factor: 50 } }));
      await expect(tooMany).rejects.toMatchObject({ retry: "never", scope: "component" });
      const dynamic = create(useSink(ports, { create: { index: "dynamic" } }));
      await expect(dynamic).rejects.toThrow(/when async indexing is enabled/);
    });

    it("is found by an alias, which can be pointed elsewhere", async () => {
      const [blue, green] = [useSink(ports), useSink(ports)];
      await expectUsable(await create(blue));
      await create(green);
      const alias = `a${newCollection()}`;
      const { aliases } = blue;
      await aliases?.point(alias, blue.collection, signal);
      const byAlias = useSink(ports, { collection: alias });
      expect((await byAlias.describe(signal))?.records).toBe(1);
      const opened = await byAlias.open(signal);
      await aliases?.point(alias, green.collection, signal);
      expect((await byAlias.describe(signal))?.records).toBe(0);
      // What was opened stays what it is.
      expect(await opened.count(undefined, signal)).toBe(1);
      const name = `A${alias.slice(1)}`;
      expect((await aliases?.list(signal))?.get(name)).toBe(green.collection);
      await aliases?.remove(alias, signal);
      await aliases?.remove(alias, signal);
      expect((await aliases?.list(signal))?.has(name)).toBe(false);
      expect(await byAlias.describe(signal)).toBeUndefined();
      await expect(aliases?.point(alias, newCollection(), signal)).rejects.toThrow(
        /does not exist/,
      );
    });
  });
});
