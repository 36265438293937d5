import { describe, expect, it } from "vitest";
import { createClass, madeDimension } from "../../../../connectors/sinks/weaviate/class-body.ts";
import { parseClass } from "../../../../connectors/sinks/weaviate/class-schema.ts";
import { weaviateConfig } from "../../../../connectors/sinks/weaviate/config.ts";
import { readSchema, type LiveSchema } from "../../../../connectors/sinks/weaviate/live-schema.ts";
import type { CollectionSpec, FieldType } from "../../../../src/contracts/index.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import { lawFields } from "../../../../src/testkit/index.ts";

type Body = Record<string, unknown> & { properties: Record<string, unknown>[] };

const least = { url: "http://localhost:8080", collection: "Handbook" };
const spec: CollectionSpec = { dimension: 8, metric: "cosine", fields: lawFields };

function layout(fields: Readonly<Record<string, FieldType>>, omit: readonly string[] = []) {
  const names = { pattern: /./, words: "anything" };
  return createLayout({ sink: "search", declared: fields, fields: {}, omit, names });
}

/** What sluice would create, to be changed by a test. */
function made(config: object = {}): Body {
  const parsed = weaviateConfig.parse({ ...least, ...config });
  const wishes = { collection: "Handbook", layout: layout(lawFields), config: parsed };
  return structuredClone(createClass(wishes, spec)) as unknown as Body;
}

/** The same, as if somebody else had made it. */
function theirs(): Body {
  return { ...made(), description: "Our passages." };
}

interface Wishes {
  readonly vector?: string;
  readonly tenant?: string;
  readonly omit?: readonly string[];
}

function read(body: unknown, { vector, tenant, omit }: Wishes = {}): LiveSchema {
  return readSchema(parseClass(body, "`Handbook`"), {
    layout: layout(lawFields, omit),
    vector,
    tenant,
  });
}

function property(body: Body, name: string): Record<string, unknown> {
  const found = body.properties.find((entry) => entry["name"] === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
}

function without(body: Body, name: string): Body {
  return { ...body, properties: body.properties.filter((entry) => entry["name"] !== name) };
}

describe("a collection that sluice creates", () => {
  it("fits, and tells its dimension", () => {
    const schema = read(made());
    expect(schema).toMatchObject({
      misfits: [],
      missing: [],
      madeDimension: 8,
      metric: "cosine",
      elementType: "float32",
      vector: { name: "default" },
      hasMarkerProperty: true,
      hasTenants: false,
    });
  });

  it("compares every text as a whole, but what is searched by words", () => {
    for (const entry of made().properties) {
      const isText = String(entry["dataType"]).startsWith("text");
      const words = entry["name"] === "text";
      expect(entry["tokenization"], String(entry["name"])).toBe(
        isText ? (words ? "word" : "field") : undefined,
      );
      expect(entry["indexSearchable"], String(entry["name"])).toBe(isText ? words : undefined);
    }
    const unfiltered = made().properties.filter((entry) => entry["indexFilterable"] === false);
    expect(unfiltered.map((entry) => entry["name"]).toSorted()).toEqual(
      ["fingerprint", "metadata", "revision", "sluice", "text"].toSorted(),
    );
  });

  it("has the index, the quantizer, the replicas and the tenants that are asked for", () => {
    const create = {
      metric: "dot",
      index: "hnsw",
      quantizer: "rq",
      ef: 64,
      ef_construction: 200,
      max_connections: 16,
      replication_factor: 3,
      shards: 4,
    };
    const wishes = { vector: "body", create };
    const body = createdWith(wishes, { ...spec, metric: "dot" });
    expect(body).toMatchObject({
      vectorConfig: {
        body: {
          vectorizer: { none: {} },
          vectorIndexType: "hnsw",
          vectorIndexConfig: {
            distance: "dot",
            ef: 64,
            efConstruction: 200,
            maxConnections: 16,
            rq: { enabled: true },
          },
        },
      },
      replicationConfig: { factor: 3 },
      shardingConfig: { desiredCount: 4 },
    });
    expect(body).not.toHaveProperty("multiTenancyConfig");
    expect(createdWith({ tenant: "acme" }, spec)).toMatchObject({
      multiTenancyConfig: { enabled: true },
    });
    const dynamic = { index: "dynamic", dynamic_threshold: 500, quantizer: "pq", ef: 9 };
    expect(createdWith({ create: dynamic }, { ...spec, metric: "euclidean" })).toMatchObject({
      vectorConfig: {
        default: {
          vectorIndexType: "dynamic",
          vectorIndexConfig: {
            distance: "l2-squared",
            threshold: 500,
            hnsw: { ef: 9, pq: { enabled: true } },
          },
        },
      },
    });
    const none = createdWith({ create: { index: "flat", quantizer: "none" } }, spec);
    expect(none).toMatchObject({
      vectorConfig: { default: { vectorIndexConfig: { skipDefaultQuantization: true } } },
    });
  });

  it("is told by its description only", () => {
    expect(madeDimension("Kept by sluice, vectors of 1024 numbers.")).toBe(1024);
    expect(madeDimension("Kept by sluice, vectors of 1024 numbers. And more.")).toBe(1024);
    for (const text of [
      undefined,
      "",
      "vectors of 8 numbers",
      "x Kept by sluice, vectors of 8 numbers.",
    ]) {
      expect(madeDimension(text)).toBeUndefined();
    }
  });
});

function createdWith(config: object, wanted: CollectionSpec): unknown {
  const parsed = weaviateConfig.parse({ ...least, ...config });
  return createClass({ collection: "Handbook", layout: layout(lawFields), config: parsed }, wanted);
}

describe("a collection that something else made", () => {
  it("fits when it has the properties", () => {
    expect(read(theirs())).toMatchObject({ misfits: [], madeDimension: undefined });
  });

  it("fits without what is left out, and without positions", () => {
    const body = without(without(theirs(), "uri"), "position");
    expect(read(body, { omit: ["uri"] }).misfits).toEqual([]);
    expect(read(body).misfits).toEqual([
      "No property `uri` for `uri`. Map it with `fields`, or leave the field out with `omit`.",
    ]);
  });

  it("does not fit without a property that every record needs", () => {
    expect(read(without(theirs(), "pipeline")).misfits).toEqual([
      "No property `pipeline` for `pipeline`. Add it with the type text, or map it with `fields`.",
    ]);
  });

  it("may lack what sluice adds, when sluice made it", () => {
    const schema = read(without(without(made(), "language"), "sluice"));
    expect(schema.misfits).toEqual([]);
    expect(schema.missing.map(({ field }) => field)).toEqual(["language"]);
    expect(schema.hasMarkerProperty).toBe(false);
  });

  const lossless: readonly (readonly [string, string])[] = [
    ["year", "number"],
    ["page", "number"],
    ["published", "int"],
    ["published", "number"],
    ["language", "string"],
    ["tags", "string[]"],
  ];
  for (const [name, type] of lossless) {
    it(`may keep \`${name}\` as ${type}`, () => {
      const body = theirs();
      property(body, name)["dataType"] = [type];
      expect(read(body).misfits).toEqual([]);
    });
  }

  const lossy: readonly (readonly [string, string, string])[] = [
    ["year", "text", "int or number"],
    ["rating", "int", "number"],
    ["public", "int", "boolean"],
    ["published", "text", "date or int or number"],
    ["tags", "text", "text[] or string[]"],
    ["language", "text[]", "text or string"],
    ["text", "uuid", "text or string"],
    ["document", "blob", "text or string"],
    ["metadata", "object", "text or string"],
  ];
  for (const [name, type, expected] of lossy) {
    it(`may not keep \`${name}\` as ${type}`, () => {
      const body = theirs();
      property(body, name)["dataType"] = [type];
      expect(read(body).misfits).toEqual([
        `The property \`${name}\` has the type ${type}, expected ${expected}.`,
      ]);
    });
  }

  it("must compare the pipeline's name as a whole", () => {
    const body = theirs();
    Object.assign(property(body, "pipeline"), { tokenization: "word", indexSearchable: true });
    expect(read(body).misfits).toEqual([expect.stringMatching(/`pipeline`.*tokenization `word`/)]);
    Object.assign(property(body, "pipeline"), { tokenization: "field", indexFilterable: false });
    Object.assign(property(body, "pipeline"), { indexSearchable: false });
    expect(read(body).misfits).toHaveLength(1);
  });

  it("may compare other texts word by word", () => {
    const body = theirs();
    Object.assign(property(body, "title"), { tokenization: "word" });
    expect(read(body).misfits).toEqual([]);
  });

  it("must leave vectors to clients, and records alone", () => {
    const byModule = theirs();
    byModule["vectorConfig"] = { body: { ...named(), vectorizer: { "text2vec-openai": {} } } };
    expect(read(byModule).misfits).toEqual([expect.stringContaining("`text2vec-openai` (`body`)")]);
    const legacy = { ...theirs(), ...unnamed(), vectorizer: "text2vec-cohere" };
    expect(read(legacy).misfits).toEqual([
      expect.stringContaining("`text2vec-cohere` (the vector)"),
    ]);
    const other = theirs();
    other["vectorConfig"] = {
      body: named(),
      more: { ...named(), vectorizer: { "img2vec-neural": {} } },
    };
    expect(read(other, { vector: "body" }).misfits).toHaveLength(1);
    const passing = { ...theirs(), objectTtlConfig: { enabled: true } };
    expect(read(passing).misfits).toEqual([expect.stringContaining("objectTtlConfig")]);
  });
});

function named(distance = "cosine"): Record<string, unknown> {
  return {
    vectorizer: { none: {} },
    vectorIndexType: "hnsw",
    vectorIndexConfig: { distance, multivector: { enabled: false } },
  };
}

/** A collection of the older kind, with one vector that has no name. */
function unnamed(distance = "cosine"): Record<string, unknown> {
  return {
    vectorConfig: undefined,
    vectorizer: "none",
    vectorIndexType: "hnsw",
    vectorIndexConfig: { distance },
  };
}

describe("the vector", () => {
  it("is the only one, or the one that is named, or the one without a name", () => {
    const one = { ...theirs(), vectorConfig: { body: named() } };
    expect(read(one).vector?.name).toBe("body");
    const two = { ...theirs(), vectorConfig: { body: named(), more: named() } };
    expect(read(two, { vector: "more" })).toMatchObject({ vector: { name: "more" }, misfits: [] });
    const legacy = { ...theirs(), ...unnamed() };
    expect(read(legacy)).toMatchObject({ vector: { name: undefined }, misfits: [] });
    const mixed = { ...legacy, vectorConfig: { body: named() } };
    expect(read(mixed)).toMatchObject({ vector: { name: undefined }, misfits: [] });
    expect(read(mixed, { vector: "body" })).toMatchObject({
      vector: { name: "body" },
      misfits: [],
    });
  });

  it("must be named where there are several, exist, and be searchable", () => {
    const two = { ...theirs(), vectorConfig: { body: named(), more: named() } };
    expect(read(two).misfits).toEqual([
      "It has several vectors, `body`, `more`: name one with `vector`.",
    ]);
    expect(read(two, { vector: "x" }).misfits).toEqual(["No vector `x`. It has `body`, `more`."]);
    const legacy = { ...theirs(), ...unnamed() };
    expect(read(legacy, { vector: "default" }).misfits).toEqual([
      "No vector `default`. It has one without a name. Leave `vector` out to use the one without a name.",
    ]);
    const none = { ...theirs(), vectorConfig: {} };
    expect(read(none).misfits).toEqual(["No vector. It has no vector."]);
    const dropped = {
      ...theirs(),
      vectorConfig: { body: named(), gone: { vectorIndexType: "none" } },
    };
    expect(read(dropped)).toMatchObject({ vector: { name: "body" }, misfits: [] });
    const skipped = {
      ...theirs(),
      vectorConfig: { body: { ...named(), vectorIndexConfig: { skip: true } } },
    };
    expect(read(skipped).misfits).toEqual([expect.stringContaining("`skip`")]);
  });

  it("has the metric of its index, and is told apart from several vectors for a record", () => {
    const metrics = {
      cosine: "cosine",
      dot: "dot",
      "l2-squared": "euclidean",
      hamming: "other",
      manhattan: "other",
    };
    for (const [distance, metric] of Object.entries(metrics)) {
      expect(read({ ...theirs(), vectorConfig: { body: named(distance) } }).metric).toBe(metric);
      expect(read({ ...theirs(), ...unnamed(distance) }).metric).toBe(metric);
    }
    const index = { distance: "dot", multivector: { enabled: true } };
    const several = {
      ...theirs(),
      vectorConfig: { body: { ...named(), vectorIndexConfig: index } },
    };
    expect(read(several).elementType).toBe("multivector");
  });
});

describe("tenants", () => {
  it("are named exactly where there are some", () => {
    const some = { ...theirs(), multiTenancyConfig: { enabled: true } };
    expect(read(some, { tenant: "acme" })).toMatchObject({ misfits: [], hasTenants: true });
    expect(read(some).misfits).toEqual(["It has tenants: name one with `tenant`."]);
    expect(read(theirs(), { tenant: "acme" }).misfits).toEqual([
      "It has no tenants: leave `tenant` out, or name another collection.",
    ]);
  });
});

it("what is no schema is refused as foreign", () => {
  for (const body of [undefined, "<html>", {}, { class: 7 }, { class: "A", properties: [{}] }]) {
    expect(() => parseClass(body, "`A`")).toThrow(/is no schema of Weaviate/);
  }
});
