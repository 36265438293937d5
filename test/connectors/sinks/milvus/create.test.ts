import { describe, expect, it } from "vitest";
import { getGRPCService, LOADER_OPTIONS } from "@zilliz/milvus2-sdk-node";
import { knowsNull } from "../../../../connectors/sinks/milvus/version.ts";
import type { FieldType } from "../../../../src/contracts/index.ts";
import { lawFields } from "../../../../src/testkit/sink-harness.ts";
import { type FakeMilvus, refusal } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { described, modernMilvus, usualFields } from "./modern.ts";

interface NewField {
  readonly name: string;
  readonly data_type: string;
  readonly nullable: boolean;
  readonly is_partition_key: boolean;
}

/** A server without the collection, until it is made. */
async function startEmpty(version = "v2.6.4"): Promise<FakeMilvus> {
  const fake = await startFake({
    ...modernMilvus(),
    GetVersion: { version },
    DescribeCollection: () => {
      const [made] = fake.of("CreateCollection");
      if (made === undefined) return refusal(100, "collection not found");
      const { properties } = made.message;
      return described([], { schema: askedFor(fake), properties });
    },
  });
  return fake;
}

async function create(
  fake: FakeMilvus,
  config: Readonly<Record<string, unknown>> = {},
  fields: Readonly<Record<string, FieldType>> = {},
) {
  const sink = makeSink(fake.address, config, { fields });
  return sink.create({ dimension: 4, metric: sink.createMetric, fields }, signal);
}

/** The schema that a creation asked for; it travels as bytes. */
function askedFor(fake: FakeMilvus): {
  readonly fields: readonly NewField[];
  readonly enable_dynamic_field: boolean;
} {
  const bytes = fake.of("CreateCollection")[0]?.message["schema"] as Buffer;
  const { service } = getGRPCService(
    { serviceName: "milvus.proto.milvus.MilvusService" },
    LOADER_OPTIONS,
  );
  const length = bytes.length;
  const head = [0x12, ...(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7])];
  const answer = Buffer.concat([Buffer.from(head), bytes]);
  return service["DescribeCollection"]!.responseDeserialize(answer).schema;
}

describe("a new collection of Milvus", () => {
  it("has a typed field for everything, null where a record may lack it", async () => {
    const fake = await startEmpty();
    await create(fake, {}, lawFields);
    const { fields, enable_dynamic_field } = askedFor(fake);
    expect(enable_dynamic_field).toBe(true);
    const types = fields.map(({ name, data_type: type, nullable }) => [name, type, nullable]);
    expect(types).toEqual([
      ["id", "VarChar", false],
      ["vector", "FloatVector", false],
      ["text", "VarChar", false],
      ["document", "VarChar", false],
      ["source", "VarChar", false],
      ["title", "VarChar", true],
      ["uri", "VarChar", true],
      ["headings", "Array", false],
      ["page", "Int64", true],
      ["position", "Int64", true],
      ["metadata", "JSON", false],
      ["pipeline", "VarChar", false],
      ["fingerprint", "VarChar", false],
      ["revision", "VarChar", false],
      ["language", "VarChar", true],
      ["year", "Int64", true],
      ["rating", "Double", true],
      ["public", "Bool", true],
      ["published", "Int64", true],
      ["tags", "Array", true],
    ]);
  });

  it("keeps what may be missing in the dynamic field of a server that knows no null", async () => {
    const fake = await startEmpty("v2.4.15");
    await create(fake, {}, { year: "integer" });
    const { fields, enable_dynamic_field } = askedFor(fake);
    expect(enable_dynamic_field).toBe(true);
    expect(fields.filter(({ nullable }) => nullable)).toEqual([]);
    expect(fields.map(({ name }) => name)).not.toContain("year");
    expect(fields.map(({ name }) => name)).toContain("headings");
  });

  it("is not made there without a dynamic field, unless nothing needs it", async () => {
    const config = { create: { dynamic_field: false } };
    const fake = await startEmpty("v2.4.15");
    await expect(create(fake, config, { year: "integer" })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringMatching(/\(title, uri, page, year\).*Milvus 2\.5/s),
    });
    expect(fake.of("CreateCollection")).toEqual([]);
    await create(fake, { ...config, omit: ["title", "uri", "page"] });
    expect(askedFor(fake).enable_dynamic_field).toBe(false);
  });

  it.each([
    ["v2.3.5-lite", false],
    ["v2.4.0", false],
    ["v2.5.0-rc1", true],
    ["2.6.0", true],
    ["v3.0.0", true],
    ["milvus_lite-3.2.2", true],
    ["milvus_lite-2.5.1", false],
    ["something else", false],
    ["", false],
  ])("may hold null on version %j: %s", (version, expected) => {
    expect(knowsNull(version)).toBe(expected);
  });

  it("is made with the index, consistency, shards and partitions that `create` names", async () => {
    const fake = await startEmpty();
    fake.answer({
      DescribeIndex: {
        index_descriptions: [
          { field_name: "embedding", params: [{ key: "metric_type", value: "L2" }] },
        ],
      },
    });
    await create(fake, {
      fields: { vector: "embedding" },
      create: {
        metric: "euclidean",
        index: "HNSW",
        index_params: { M: 32, efConstruction: 400 },
        consistency: "session",
        shards: 3,
        partition_key: "source",
        partitions: 7,
        dynamic_field: false,
      },
    });
    expect(fake.of("CreateCollection")[0]?.message).toMatchObject({
      consistency_level: "Session",
      shards_num: 3,
      num_partitions: "7",
    });
    expect(fake.of("CreateIndex")[0]?.message).toMatchObject({
      field_name: "embedding",
      extra_params: [
        { key: "index_type", value: "HNSW" },
        { key: "metric_type", value: "L2" },
        { key: "params", value: '{"M":32,"efConstruction":400}' },
      ],
    });
    const { fields, enable_dynamic_field } = askedFor(fake);
    expect(enable_dynamic_field).toBe(false);
    const key = fields.find((field) => field.is_partition_key);
    expect(key).toMatchObject({ name: "source", nullable: false });
  });

  it("may be partitioned by a declared field, which every record then needs", async () => {
    const fake = await startEmpty();
    await create(fake, { create: { partition_key: "tenant" } }, { tenant: "string" });
    const key = askedFor(fake).fields.find((field) => field.is_partition_key);
    expect(key).toMatchObject({ name: "tenant", nullable: false });
  });

  it.each([["nobody"], ["id"], ["headings"], ["vector"]])(
    "is not partitioned by `%s`",
    (partition_key) => {
      expect(() => makeSink("127.0.0.1:1", { create: { partition_key } })).toThrow(
        "`create.partition_key` names",
      );
    },
  );

  it("is left to who made it at the same moment", async () => {
    const fake = await startFake({
      ...modernMilvus(),
      DescribeCollection: () =>
        fake.of("CreateCollection").length === 0
          ? refusal(100, "collection not found")
          : described(usualFields, { properties: [{ key: "sluice.created", value: "theirs" }] }),
    });
    await expect(create(fake)).rejects.toMatchObject({
      code: "sink.rejected",
      scope: "component",
      message: expect.stringContaining("exists already"),
    });
  });
});
