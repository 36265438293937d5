import { describe, expect, it } from "vitest";
import type { FieldType } from "../../../../src/contracts/index.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { described, field, modernMilvus, usualFields } from "./modern.ts";

type Named = { readonly name: string };

/** The usual fields with some in place of others, or left out. */
function fieldsWith(changes: Readonly<Record<string, object | undefined>>): object[] {
  const kept = usualFields.filter((usual) => !Object.hasOwn(changes, (usual as Named).name));
  return [...kept, ...Object.values(changes).filter((change) => change !== undefined)];
}

async function describeCollection(
  collection: object,
  config: Readonly<Record<string, unknown>> = {},
  fields: Readonly<Record<string, FieldType>> = {},
) {
  const fake = await startFake(modernMilvus(collection));
  const sink = makeSink(fake.address, config, { fields });
  return { sink, description: await sink.describe(signal) };
}

const text = { params: { max_length: 65_535 } };
const withDynamic = { enable_dynamic_field: true };

describe("a collection of Milvus", () => {
  it("fits with the fields that sluice makes", async () => {
    const { description } = await describeCollection(described());
    expect(description).toEqual({
      dimension: 4,
      metric: "cosine",
      elementType: "float32",
      records: 0,
      misfits: [],
    });
  });

  it("fits with a key, vectors and a dynamic field, which takes the rest", async () => {
    const bare = described(usualFields.slice(0, 2), withDynamic);
    const { description } = await describeCollection(bare, {}, { year: "integer" });
    expect(description?.misfits).toEqual([]);
  });

  it("fits with fields of its own that may be empty, or fill themselves", async () => {
    const own = {
      note: field("note", "VarChar", { ...text, nullable: true }),
      rank: field("rank", "Double", { default_value: { double_data: 1 } }),
      sparse: field("sparse", "SparseFloatVector", { is_function_output: true }),
    };
    const { description } = await describeCollection(described(fieldsWith(own)));
    expect(description?.misfits).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, object | undefined>>, string]>([
    [
      "a field",
      { text: undefined },
      "No field `text` for `text`, and no dynamic field. Map it with `fields`, or add the field (VarChar, nullable).",
    ],
    [
      "a field that may be left out",
      { title: undefined },
      "Map it with `fields`, or leave it out with `omit`, or add the field (VarChar, nullable).",
    ],
    [
      "text as numbers",
      { text: field("text", "Int64") },
      "The field `text` holds Int64, expected VarChar.",
    ],
    [
      "metadata as an array",
      { metadata: field("metadata", "Array", { element_type: "VarChar" }) },
      "The field `metadata` holds Array of VarChar, expected JSON.",
    ],
    [
      "headings as numbers",
      { headings: field("headings", "Array", { element_type: "Int64" }) },
      "The field `headings` holds Array of Int64, expected Array of VarChar.",
    ],
    [
      "a title for every record",
      { title: field("title", "VarChar", text) },
      "The field `title` must not be null, but not every record has `title`. Leave it out with `omit`.",
    ],
    [
      "a value that no record has",
      { owner: field("owner", "VarChar", text) },
      "The field `owner` needs a value, and no record has one.",
    ],
    [
      "vectors of another kind in every record",
      { image: field("image", "FloatVector", { params: { dim: 8 } }) },
      "The field `image` needs a value, and no record has one.",
    ],
    [
      "numbers for keys",
      { id: field("id", "Int64", { is_primary_key: true }) },
      "The field `id` holds Int64, expected VarChar (ids are UUIDs).",
    ],
    [
      "keys of its own making",
      { id: field("id", "Int64", { is_primary_key: true, autoID: true }) },
      "The primary key `id` is made by the server (auto-id), but records keep their own ids.",
    ],
    [
      "its keys elsewhere",
      { id: undefined, pk: field("pk", "VarChar", { ...text, is_primary_key: true }) },
      "No field `id` for `id`; the primary key is `pk`. Map it with `fields: { id: pk }`.",
    ],
    [
      "another field for its key",
      {
        id: field("id", "VarChar", text),
        pk: field("pk", "VarChar", { ...text, is_primary_key: true }),
      },
      "The field `id` for `id` is not the primary key.",
    ],
    [
      "short keys",
      { id: field("id", "VarChar", { params: { max_length: 35 }, is_primary_key: true }) },
      "The field `id` takes 35 bytes, `id` has 36.",
    ],
    [
      "short fingerprints",
      { fingerprint: field("fingerprint", "VarChar", { params: { max_length: 41 } }) },
      "The field `fingerprint` takes 41 bytes, `fingerprint` has 42.",
    ],
    [
      "no room for the pipeline's name",
      { pipeline: field("pipeline", "VarChar", { params: { max_length: 2 } }) },
      "The field `pipeline` takes 2 bytes, `pipeline` has 3.",
    ],
    [
      "no vectors",
      { vector: undefined },
      "No field `vector` for `vector`; the collection has no vectors.",
    ],
    [
      "its vectors elsewhere",
      { vector: undefined, dense: field("dense", "FloatVector", { params: { dim: 8 } }) },
      "No field `vector` for `vector`; there is `dense` (FloatVector of 8). Name one with `fields: { vector: dense }`.",
    ],
    [
      "several vectors, and none is named",
      {
        vector: undefined,
        dense: field("dense", "Float16Vector", { params: { dim: 8 } }),
        sparse: field("sparse", "SparseFloatVector"),
      },
      "there is `dense` (Float16Vector of 8), `sparse` (SparseFloatVector).",
    ],
    [
      "vectors that the server makes",
      {
        vector: field("vector", "FloatVector", { params: { dim: 4 }, is_function_output: true }),
      },
      "The field `vector` is filled by a function of the server. Map `vector` to another.",
    ],
    [
      "a text that the server makes",
      { title: field("title", "VarChar", { ...text, is_function_output: true }) },
      "The field `title` is filled by a function of the server. Map `title` to another.",
    ],
  ])(
    "that has %s is described by what does not fit, and not opened",
    async (_, changes, misfit) => {
      const { sink, description } = await describeCollection(described(fieldsWith(changes)));
      expect(description?.misfits.join(" ")).toContain(misfit);
      await expect(sink.open(signal)).rejects.toMatchObject({
        code: "sink.foreign",
        message: expect.stringContaining(misfit),
      });
    },
  );

  it("with structures in arrays is refused by their name", async () => {
    const structures = [{ name: "chunks", fields: [field("part", "ArrayOfVector")] }];
    const schema = { name: "handbook", fields: usualFields, struct_array_fields: structures };
    const { description } = await describeCollection(described(usualFields, { schema }));
    expect(description?.misfits).toEqual([
      "The field `chunks` needs a value, and no record has one.",
    ]);
  });

  it.each<[FieldType, readonly string[], readonly string[]]>([
    ["string", ["VarChar"], ["JSON", "Int64", "Array of VarChar"]],
    ["integer", ["Int64", "Double"], ["Int32", "Int16", "Float", "VarChar", "JSON"]],
    ["float", ["Double"], ["Float", "Int64", "VarChar"]],
    ["boolean", ["Bool"], ["Int8", "VarChar"]],
    ["timestamp", ["Int64", "Double"], ["Timestamptz", "Int32", "VarChar"]],
    ["string_list", ["Array of VarChar", "JSON"], ["VarChar", "Array of Int64"]],
  ])("keeps declared fields of type %s without loss, or says why not", async (type, fits, not) => {
    for (const name of [...fits, ...not]) {
      const [data_type = "", element_type = "None"] = name.split(" of ");
      const declared = field("thing", data_type, { ...text, element_type, nullable: true });
      const collection = described(fieldsWith({ thing: declared }));
      const { description } = await describeCollection(collection, {}, { thing: type });
      const misfits = description?.misfits ?? [];
      expect(misfits.length, `${type} in ${name}: ${misfits.join(" ")}`).toBe(
        fits.includes(name) ? 0 : 1,
      );
      if (not.includes(name)) expect(misfits[0]).toContain(`holds ${name}, expected `);
    }
  });

  it.each([
    ["Float16Vector", "float16"],
    ["BFloat16Vector", "bfloat16"],
    ["Int8Vector", "int8"],
    ["BinaryVector", "binary"],
    ["SparseFloatVector", "sparse"],
    ["ArrayOfVector", "multivector"],
  ] as const)("of %s is told to hold %s vectors, wherever they are", async (type, elementType) => {
    const params = { params: { dim: 16 } };
    for (const name of ["vector", "other"]) {
      const fields = fieldsWith({ vector: undefined, [name]: field(name, type, params) });
      const { sink, description } = await describeCollection(described(fields));
      expect(description).toMatchObject({ elementType });
      if (elementType.endsWith("float16") && name === "vector") continue;
      await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
    }
  });

  it.each([
    ["COSINE", "cosine"],
    ["IP", "dot"],
    ["L2", "euclidean"],
    ["HAMMING", "other"],
  ] as const)("compares by the metric of its index: %s", async (name, metric) => {
    const fake = await startFake({
      ...modernMilvus(),
      DescribeIndex: {
        index_descriptions: [
          { field_name: "title", params: [{ key: "index_type", value: "INVERTED" }] },
          { field_name: "vector", params: [{ key: "metric_type", value: name }] },
        ],
      },
    });
    const sink = makeSink(fake.address);
    expect(await sink.describe(signal)).toMatchObject({ metric });
    if (metric === "other") {
      await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
    } else await sink.open(signal);
  });
});

describe("a collection that is not loaded", () => {
  const unloaded = {
    GetLoadState: { state: "LoadStateNotLoad" },
    GetCollectionStatistics: { stats: [{ key: "row_count", value: "0" }] },
  };
  const noIndex = {
    DescribeIndex: {
      status: { code: 700, error_code: "IndexNotExist", reason: "index not found" },
    },
  };
  const ours = { properties: [{ key: "sluice.created", value: "a" }] };

  it("and is somebody's is refused, since nobody can tell whether it is empty", async () => {
    const fake = await startFake({ ...modernMilvus(), ...unloaded });
    await expect(makeSink(fake.address).describe(signal)).rejects.toMatchObject({
      code: "sink.not-ready",
      retry: "never",
      message: expect.stringContaining("is not loaded, so that nobody can tell whether it holds"),
    });
    fake.answer({ GetCollectionStatistics: { stats: [{ key: "row_count", value: "12" }] } });
    expect(await makeSink(fake.address).describe(signal)).toMatchObject({ records: 12 });
    expect(fake.of("LoadCollection")).toEqual([]);
  });

  it("for lack of an index does not fit, and says what to do", async () => {
    const fake = await startFake({ ...modernMilvus(), ...unloaded, ...noIndex });
    const sink = makeSink(fake.address);
    const misfits = ["Its vectors have no index. Create one, and load it."];
    expect(await sink.describe(signal)).toMatchObject({ misfits });
    await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
  });

  it("because its creation was cut off is completed when it is opened", async () => {
    const fake = await startFake({
      ...modernMilvus(described(usualFields, ours)),
      ...unloaded,
      ...noIndex,
      GetLoadState: () => ({
        state: fake.of("LoadCollection").length > 0 ? "LoadStateLoaded" : "LoadStateNotLoad",
      }),
    });
    const sink = makeSink(fake.address);
    expect(await sink.describe(signal)).toMatchObject({ records: 0, misfits: [] });
    await sink.open(signal);
    expect(fake.of("CreateIndex")).toHaveLength(1);
    expect(fake.of("LoadCollection")).toHaveLength(1);
  });

  it("yet is waited for, and no longer than `ready_timeout_ms`", async () => {
    let asked = 0;
    const loading = () => ({ state: ++asked < 3 ? "LoadStateLoading" : "LoadStateLoaded" });
    const fake = await startFake({ ...modernMilvus(), GetLoadState: loading });
    expect(await makeSink(fake.address).describe(signal)).toMatchObject({ records: 0 });
    expect(asked).toBe(3);
    fake.answer({ GetLoadState: { state: "LoadStateLoading" } });
    await expect(
      makeSink(fake.address, { ready_timeout_ms: 100 }).open(signal),
    ).rejects.toMatchObject({
      code: "sink.not-ready",
      message: expect.stringContaining("was not loaded within 100 ms"),
    });
  });

  it("is not waited for after an abort", async () => {
    const fake = await startFake({
      ...modernMilvus(),
      GetLoadState: { state: "LoadStateLoading" },
    });
    const controller = new AbortController();
    const opening = makeSink(fake.address).open(controller.signal);
    await expect.poll(() => fake.of("GetLoadState").length).toBeGreaterThan(1);
    controller.abort(new Error("The run is over."));
    await expect(opening).rejects.toThrow("The run is over.");
  });
});
