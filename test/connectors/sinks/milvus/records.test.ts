import { describe, expect, it } from "vitest";
import type { Collection, FieldType, VectorRecord } from "../../../../src/contracts/index.ts";
import {
  lawFields,
  makeMarker,
  makeRecord,
  makeVector,
  plainOf,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { collect } from "../../../../src/testkit/check.ts";
import type { FakeMilvus } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { described, field, modernMilvus, usualFields } from "./modern.ts";

interface Column {
  readonly field_name: string;
  readonly type: string;
  readonly is_dynamic: boolean;
  readonly valid_data: readonly boolean[];
  readonly scalars?: Readonly<Record<string, { readonly data: readonly unknown[] }>>;
  readonly vectors?: {
    readonly dim: string;
    readonly float_vector?: { readonly data: readonly number[] };
  };
}

const text = { params: { max_length: 65_535 } };
const declaredFields = [
  field("language", "VarChar", { ...text, nullable: true }),
  field("year", "Int64", { nullable: true }),
  field("rating", "Double", { nullable: true }),
  field("public", "Bool", { nullable: true }),
  field("published", "Int64", { nullable: true }),
  field("tags", "Array", {
    element_type: "VarChar",
    nullable: true,
    params: { max_length: 100, max_capacity: 3 },
  }),
];
const typedFields = [...usualFields, ...declaredFields];
const full: Partial<VectorRecord> = {
  title: "Installing",
  uri: "file:///guide/install.md",
  page: 12,
  headings: ["Guide", "Installing"],
  fields: {
    language: "de",
    year: 9_007_199_254_740_991,
    rating: 4.25,
    public: false,
    published: 1_700_000_000_123,
    tags: ["alpha", "beta"],
  },
  metadata: { nested: { list: [1, "two", null, { three: false }] }, empty: {} },
};

async function open(
  collection: object = described(typedFields),
  fields: Readonly<Record<string, FieldType>> = lawFields,
  config: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly fake: FakeMilvus; readonly collection: Collection }> {
  const fake = await startFake(modernMilvus(collection));
  const sink = makeSink(fake.address, config, { fields });
  return { fake, collection: await sink.open(signal) };
}

/** The columns of the last upsert, by name. */
function sent(fake: FakeMilvus): ReadonlyMap<string, Column> {
  const columns = fake.of("Upsert").at(-1)?.message["fields_data"] as readonly Column[];
  return new Map(columns.map((column) => [column.field_name, column]));
}

/** Lets the server give back what it was sent. */
function echo(fake: FakeMilvus, change: (column: Column) => object = (column) => column): void {
  const fields_data = [...sent(fake).values()].map(change);
  fake.answer({
    Query: { fields_data },
    Search: { results: { fields_data, scores: [0.5, 0.25] } },
  });
}

async function upsert(collection: Collection, records: readonly VectorRecord[]) {
  return (await collection.write(records.map(toUpsert), signal)).failed;
}

describe("records in typed fields", () => {
  const records = [makeRecord(1, 4, full), makeRecord(2, 4), makeRecord(3, 4, { page: 0 })];

  it("travel by column, with what they lack marked, and with the vectors' own bytes", async () => {
    const { fake, collection } = await open();
    expect([...(await upsert(collection, records)).keys()]).toEqual([]);
    const columns = sent(fake);
    expect(columns.get("title")).toMatchObject({
      type: "VarChar",
      scalars: { string_data: { data: ["Installing"] } },
      valid_data: [true, false, false],
    });
    expect(columns.get("year")?.scalars?.["long_data"]?.data).toEqual(["9007199254740991"]);
    expect(columns.get("page")?.valid_data).toEqual([true, false, true]);
    expect(columns.get("text")?.valid_data).toEqual([]);
    expect(columns.has("$meta")).toBe(false);
    const { dim, float_vector: floats } = columns.get("vector")?.vectors ?? {};
    expect(dim).toBe("4");
    expect(floats?.data).toEqual(records.flatMap(({ vector }) => [...vector]));
    const message = fake.of("Upsert")[0]?.message;
    expect(message).toMatchObject({ collection_name: "handbook", num_rows: 3 });
  });

  it.each<[string, (column: Column) => object]>([
    ["compact", (column) => column],
    [
      "with a row for each record",
      (column) => {
        const [kind, values] = Object.entries(column.scalars ?? {}).find(
          ([, value]) => typeof value === "object",
        ) ?? [""];
        if (values === undefined || column.valid_data.length === 0) return column;
        let next = 0;
        const data = column.valid_data.map((has) =>
          has ? values.data[next++] : (values.data[0] ?? 0),
        );
        return { ...column, scalars: { [kind]: { ...values, data } } };
      },
    ],
  ])("are read back as they were, from columns that are %s", async (_, change) => {
    const { fake, collection } = await open();
    await upsert(collection, records);
    echo(fake, change);
    const ids = records.map(({ id }) => id);
    const stored = await collection.read(ids, { vectors: true }, signal);
    expect(stored.map(plainOf)).toEqual(records.map(plainOf));
    expect(stored.map(({ vector }) => vector)).toEqual(records.map(({ vector }) => vector));
  });
});

describe("records in a dynamic field", () => {
  const bare = described(usualFields.slice(0, 2), { enable_dynamic_field: true });

  it("keep everything that has no field of its own, and are read back as they were", async () => {
    const { fake, collection } = await open(bare);
    const records = [makeRecord(1, 4, full), makeRecord(2, 4, { metadata: { a: "b" } })];
    await upsert(collection, records);
    const column = sent(fake).get("$meta");
    expect(column).toMatchObject({ type: "JSON", is_dynamic: true });
    const first = JSON.parse(String(column?.scalars?.["json_data"]?.data[0]));
    expect(first).toMatchObject({ title: "Installing", year: 9_007_199_254_740_991 });
    expect(first.metadata).toEqual(full.metadata);
    echo(fake);
    const ids = records.map(({ id }) => id);
    const stored = await collection.read(ids, { vectors: false }, signal);
    expect(stored.map(plainOf)).toEqual(records.map(plainOf));
  });

  it("leave room for no more than the server takes", async () => {
    const { fake, collection } = await open(bare);
    const large = makeRecord(1, 4, { text: "é".repeat(33_000) });
    const failed = await upsert(collection, [large, makeRecord(2, 4)]);
    expect([...failed.keys()]).toEqual([large.id]);
    expect(failed.get(large.id)?.message).toMatch(
      /its fields without a column have 66\d{3} bytes as JSON, the dynamic field takes 65536\. Leave some out with `omit`/,
    );
    expect(fake.of("Upsert")[0]?.message["num_rows"]).toBe(1);
  });
});

describe("a record that does not fit", () => {
  it.each<[string, Partial<VectorRecord>, string]>([
    [
      "a text with too many bytes, not characters",
      { text: "é".repeat(32_768) },
      "`text` has 65536 bytes, the field `text` takes 65535. Lower `chunker.max_tokens`, or leave the text out",
    ],
    [
      "metadata that are too large",
      { metadata: { long: "x".repeat(65_536) } },
      "`metadata` has 65547 bytes, the field `metadata` takes 65536. Leave it out with `omit`",
    ],
    [
      "a long item in a list",
      { fields: { tags: ["ok", "y".repeat(101)] } },
      "`tags` has 101 bytes, the field `tags` takes 100",
    ],
    [
      "too many items in a list",
      { fields: { tags: ["a", "b", "c", "d"] } },
      "`tags` has 4 items, the field `tags` takes 3",
    ],
    ["a number that is not one", { vector: Float32Array.of(1, NaN, 0, 0) }, "is not finite"],
    ["an endless number", { vector: Float32Array.of(1, Infinity, 0, 0) }, "is not finite"],
    ["half a page", { page: 1.5 }, "`page` is 1.5, expected a whole number"],
    ["a value of another type", { fields: { year: "2020" } }, "`year` is not of type integer"],
    ["an integer beyond 53 bits", { fields: { year: 2 ** 53 } }, "`year` is not of type integer"],
    ["a value that is an object", { fields: { language: {} } }, "is not of type string"],
    ["a value that is null", { fields: { language: null } }, "is not of type string"],
    ["a rating that is not finite", { fields: { rating: NaN } }, "`rating` is not of type float"],
    ["a field that is not declared", { fields: { author: "x" } }, "`author` is not declared"],
  ])("for %s fails alone, by its id", async (_, changes, problem) => {
    const { fake, collection } = await open();
    const guilty = makeRecord(1, 4, changes);
    const records = [makeRecord(2, 4), guilty, makeRecord(3, 4)];
    const failed = await upsert(collection, records);
    expect([...failed.keys()]).toEqual([guilty.id]);
    expect(failed.get(guilty.id)).toMatchObject({ code: "sink.rejected", retry: "never" });
    expect(failed.get(guilty.id)?.message).toContain(problem);
    expect(sent(fake).get("id")?.scalars?.["string_data"]?.data).toEqual([
      records[0]!.id,
      records[2]!.id,
    ]);
  });

  it("for lack of the partition key fails alone", async () => {
    const tenant = field("tenant", "VarChar", { ...text, is_partition_key: true });
    const fields = { tenant: "string" } as const;
    const { collection } = await open(described([...usualFields, tenant]), fields);
    const without = makeRecord(1, 4);
    const failed = await upsert(collection, [
      without,
      makeRecord(2, 4, { fields: { tenant: "a" } }),
    ]);
    expect([...failed.keys()]).toEqual([without.id]);
    expect(failed.get(without.id)?.message).toContain(
      "it has no `tenant`, which the field `tenant` needs",
    );
  });

  it("does not hold up a write of which nothing is left", async () => {
    const { fake, collection } = await open();
    const failed = await upsert(collection, [makeRecord(1, 4, { page: -1 })]);
    expect(failed.size).toBe(1);
    expect(fake.of("Upsert")).toEqual([]);
  });
});

describe("a write", () => {
  it("sends halves of surrogate pairs as the sign for what is no character", async () => {
    const { fake, collection } = await open();
    const record = makeRecord(1, 4, { text: "a\ud800b", headings: ["\udc00"] });
    await upsert(collection, [record]);
    expect(sent(fake).get("text")?.scalars?.["string_data"]?.data).toEqual(["a\ufffdb"]);
  });

  it("sends the last operation on an id only", async () => {
    const { fake, collection } = await open();
    const old = makeRecord(1, 4);
    const operations = [toUpsert(old), toDelete(old), toUpsert({ ...old, text: "Last." })];
    await collection.write(operations, signal);
    expect(fake.of("Delete")).toEqual([]);
    expect(sent(fake).get("text")?.scalars?.["string_data"]?.data).toEqual(["Last."]);
  });

  it("of a wrong vector sends nothing at all, not even a question", async () => {
    const { fake, collection } = await open();
    const before = fake.received.length;
    // Together they have as many numbers as the server would expect.
    const records = [3, 5].map((length) => makeRecord(1, 4, { vector: makeVector(1, length) }));
    await expect(upsert(collection, records)).rejects.toMatchObject({ code: "sink.dimension" });
    expect(fake.received.length).toBe(before);
  });

  it("of deletes names each id in quotes", async () => {
    const { fake, collection } = await open();
    const id = `q"] or id in ["b`;
    await collection.write([toDelete({ id })], signal);
    expect(fake.of("Delete")[0]?.message["expr"]).toBe(String.raw`id in ["q\"] or id in [\"b"]`);
  });
});

describe.each([
  ["Float16Vector", "float16_vector", 2 ** -11],
  ["BFloat16Vector", "bfloat16_vector", 2 ** -8],
] as const)("vectors of %s", (type, part, precision) => {
  it("are rounded, read back and searched", async () => {
    const vector = field("vector", type, { params: { dim: 4 } });
    const fields = usualFields.map((usual) =>
      (usual as { readonly name: string }).name === "vector" ? vector : usual,
    );
    const { fake, collection } = await open(described(fields), {});
    const records = [makeRecord(1, 4), makeRecord(2, 4)];
    await upsert(collection, records);
    const column = sent(fake).get("vector")?.vectors as Readonly<Record<string, unknown>>;
    expect(column).toMatchObject({ dim: "4" });
    expect((column[part] as Uint8Array).byteLength).toBe(2 * 4 * 2);
    echo(fake);
    const ids = records.map(({ id }) => id);
    const stored = await collection.read(ids, { vectors: true }, signal);
    for (const [row, { vector: given }] of records.entries()) {
      for (const [index, value] of given.entries()) {
        const difference = Math.abs((stored[row]?.vector?.[index] ?? NaN) - value);
        expect(difference).toBeLessThanOrEqual(Math.abs(value) * precision);
      }
    }
    const hits = await collection.search({ vector: records[0]!.vector, k: 2 }, signal);
    expect(hits.map(({ score }) => score)).toEqual([0.5, 0.25]);
    const group = fake.of("Search")[0]?.message["placeholder_group"] as Uint8Array;
    // Group and value: two heads, the tag "$0", the type, and the numbers.
    expect(group.byteLength).toBe(2 + 4 + 2 + 2 + 8);
  });
});

describe("a scan", () => {
  it("refuses a server that does not give records in order, rather than lose one", async () => {
    const { fake, collection } = await open();
    await upsert(collection, [
      makeRecord(1, 4, { id: "00000000-0000-8000-8000-000000000002" }),
      makeRecord(2, 4, { id: "00000000-0000-8000-8000-000000000001" }),
    ]);
    echo(fake);
    const scan = collect(collection.scan({ pipeline: "law" }, signal));
    await expect(scan).rejects.toMatchObject({
      code: "sink.foreign",
      message: expect.stringContaining("does not give records in the order of their ids"),
    });
  });
});

describe("a condition on a partition key", () => {
  it.each([
    ["v2.3.5", `(((source in ["it's"]) or (source < "it's" and source > "it's")))`],
    ["v2.4.0", `((source in ["it's"]))`],
    ["v2.6.4", `((source in ["it's"]))`],
    ["milvus_lite-2.3.0", `((source in ["it's"]))`],
    ["of the cloud", `((source in ["it's"]))`],
  ])("is looked up in every partition of %s, if rows may lie elsewhere", async (version, expr) => {
    const source = field("source", "VarChar", { ...text, is_partition_key: true });
    const fields = usualFields.map((usual) =>
      (usual as { readonly name: string }).name === "source" ? source : usual,
    );
    const fake = await startFake({ ...modernMilvus(described(fields)), GetVersion: { version } });
    const collection = await makeSink(fake.address).open(signal);
    await collection.count([{ field: "source", operator: "=", value: "it's" }], signal);
    expect(`(${String(fake.of("Query").at(-1)?.message["expr"])})`).toBe(expr);
  });
});

describe("what somebody else wrote", () => {
  it("is foreign where it has to be read and cannot be", async () => {
    const metadata = field("metadata", "VarChar", text);
    const fields = usualFields.map((usual) =>
      (usual as { readonly name: string }).name === "metadata" ? metadata : usual,
    );
    const { fake, collection } = await open(described(fields), {});
    const record = makeRecord(1, 4, { metadata: { a: 1 } });
    await upsert(collection, [record]);
    expect(sent(fake).get("metadata")?.scalars?.["string_data"]?.data).toEqual(['{"a":1}']);
    echo(fake);
    const [stored] = await collection.read([record.id], { vectors: false }, signal);
    expect(stored?.metadata).toEqual({ a: 1 });
    echo(fake, (column) =>
      column.field_name === "metadata"
        ? { ...column, scalars: { string_data: { data: ["none"] } } }
        : column,
    );
    await expect(collection.read([record.id], { vectors: false }, signal)).rejects.toMatchObject({
      code: "sink.foreign",
    });
  });
});

describe("the marker", () => {
  const marker = makeMarker(4);

  it("is not believed to be kept by a server that keeps none", async () => {
    const { collection } = await open();
    await expect(collection.setMarker(marker, signal)).rejects.toMatchObject({
      code: "sink.foreign",
      message: expect.stringContaining("does not keep its properties"),
    });
  });

  it.each([
    ["at once", 1],
    ["a moment later", 2],
  ])("is set again when another pipeline's change has undone it %s", async (_, undone) => {
    const { fake, collection } = await open();
    let looks = 0;
    fake.answer({
      DescribeCollection: () => {
        const kept = (fake.of("AlterCollection").at(-1)?.message["properties"] ?? []) as object[];
        if (fake.of("AlterCollection").length > 0) looks += 1;
        const properties = looks === undone ? kept.slice(0, 1) : kept;
        return described(typedFields, { properties });
      },
    });
    await expect(collection.setMarker(marker, signal)).rejects.toMatchObject({
      code: "sink.conflict",
      retry: "later",
    });
    expect(looks).toBe(undone);
  });
});
