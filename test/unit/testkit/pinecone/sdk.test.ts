import { Pinecone } from "@pinecone-database/pinecone";
import { describe, expect, it } from "vitest";
import type { PineconeEmulator, PineconeEmulatorOptions } from "../../../../src/testkit/index.ts";
import { described, start } from "./support.ts";

const spec = { serverless: { cloud: "aws", region: "us-east-1" } } as const;

/** The client remembers the address of an index by its name for as long as the process lives. */
let names = 0;

interface Client {
  readonly emulator: PineconeEmulator;
  readonly client: Pinecone;
  /** A name that no other test uses. */
  readonly name: string;
}

async function connect(
  options: PineconeEmulatorOptions = {},
  additionalHeaders?: Record<string, string>,
): Promise<Client> {
  const emulator = await start(options);
  const client = new Pinecone({
    apiKey: "key",
    controllerHostUrl: emulator.url,
    maxRetries: 0,
    ...(additionalHeaders === undefined ? {} : { additionalHeaders }),
  });
  names += 1;
  return { emulator, client, name: `index-${names}` };
}

async function connectIndex(options: PineconeEmulatorOptions = {}) {
  const connected = await connect(options);
  const { client, name } = connected;
  await client.indexes.create({ name, dimension: 3, metric: "cosine", spec });
  return { ...connected, index: client.index({ name, namespace: "x" }) };
}

const records = [
  { id: "doc#1", values: [1, 0, 0], metadata: { page: 1, tags: ["a", "b"], done: true } },
  { id: "doc#2", values: [0.9, 0.1, 0], metadata: { page: 2 } },
  { id: "else#1", values: [0, 0, 1] },
];

describe("the official client", () => {
  it("makes, waits for, describes, lists, configures and deletes an index", async () => {
    const { client, name } = await connect();
    const created = await client.indexes.create({
      name,
      dimension: 3,
      metric: "dotproduct",
      spec,
      tags: { team: "a" },
      deletionProtection: "enabled",
      waitUntilReady: true,
    });
    expect(created).toMatchObject({ name, status: { ready: true }, tags: { team: "a" } });
    // What the client derives for programs written for its version 8.
    expect([created.dimension, created.metric, created.vectorType]).toEqual([
      3,
      "dotproduct",
      "dense",
    ]);
    const found = await client.indexes.describe(name);
    expect(found.schema.fields).toMatchObject({
      _values: { type: "dense_vector", dimension: 3, metric: "dotproduct" },
      _sparse_values: { type: "sparse_vector" },
    });
    expect((await client.indexes.list()).indexes?.map((index) => index.name)).toEqual([name]);
    await expect(client.indexes.delete(name)).rejects.toMatchObject({
      name: "PineconeBadRequestError",
      message: expect.stringContaining("Deletion protection is enabled for this index"),
    });
    const changed = await client.indexes.configure(name, { deletionProtection: "disabled" });
    expect(changed.deletionProtection).toBe("disabled");
    await client.indexes.delete(name);
    await expect(client.indexes.describe(name)).rejects.toMatchObject({
      name: "PineconeNotFoundError",
    });
  });

  it("makes sparse indexes and indexes of the documents kind, and tells them apart", async () => {
    const { client, name } = await connect();
    await client.indexes.create({ name, vectorType: "sparse", spec });
    const sparse = await client.indexes.describe(name);
    expect([sparse.vectorType, sparse.dimension]).toEqual(["sparse", undefined]);
    const fields = { embedding: { type: "dense_vector", dimension: 4, metric: "cosine" } } as const;
    await client.indexes.create({ name: `${name}-docs`, schema: { fields } });
    const documents = await client.indexes.describe(`${name}-docs`);
    expect(Object.keys(documents.schema.fields)).toEqual(["embedding"]);
    const index = client.index({ name: `${name}-docs` });
    await expect(index.upsert({ records: [{ id: "a", values: [1, 2, 3, 4] }] })).rejects.toThrow(
      "documents API",
    );
  });

  it("learns what is wrong with a new index", async () => {
    const { client, name } = await connect();
    const create = (changes: object) =>
      client.indexes.create({ name, dimension: 3, spec, ...changes });
    await create({});
    await expect(create({})).rejects.toMatchObject({ name: "PineconeConflictError" });
    await expect(create({ suppressConflicts: true })).resolves.toBeUndefined();
    await expect(create({ name: "Not-A-Name" })).rejects.toMatchObject({
      name: "PineconeBadRequestError",
    });
    const nowhere = { serverless: { cloud: "aws", region: "moon" } };
    await expect(create({ name: "other", spec: nowhere })).rejects.toMatchObject({
      name: "PineconeNotFoundError",
    });
  });

  it("writes, reads, searches, lists, updates and deletes records", async () => {
    const { index } = await connectIndex();
    await index.upsert({ records });
    expect((await index.fetch({ ids: ["doc#1", "nowhere"] })).records).toEqual({
      "doc#1": { ...records[0], sparseValues: undefined },
    });
    const found = await index.query({
      vector: [1, 0, 0],
      topK: 2,
      includeMetadata: true,
      filter: { page: { $gte: 1 } },
    });
    expect(found.matches.map(({ id }) => id)).toEqual(["doc#1", "doc#2"]);
    expect(found.matches[0]).toMatchObject({ score: 1, metadata: { page: 1 } });
    const listed = await index.listPaginated({ prefix: "doc#", limit: 1 });
    expect(listed.vectors).toEqual([{ id: "doc#1" }]);
    const rest = await index.listPaginated({
      prefix: "doc#",
      paginationToken: listed.pagination!.next,
    });
    expect(rest.vectors).toEqual([{ id: "doc#2" }]);
    expect(rest.pagination).toBeUndefined();
    await index.update({ id: "doc#1", metadata: { page: 9 } });
    const byPage = await index.fetchByMetadata({ filter: { page: { $eq: 9 } } });
    expect(byPage.records["doc#1"]?.metadata).toEqual({ page: 9, tags: ["a", "b"], done: true });
    await index.deleteOne({ id: "doc#1" });
    await index.deleteMany({ ids: ["doc#2", "nowhere"] });
    expect(await index.describeIndexStats()).toEqual({
      namespaces: { x: { recordCount: 1 } },
      dimension: 3,
      indexFullness: 0,
      totalRecordCount: 1,
    });
    await index.deleteAll();
    expect((await index.describeIndexStats()).totalRecordCount).toBe(0);
  });

  it("manages namespaces", async () => {
    const { client, name, index } = await connectIndex();
    await index.upsert({ records });
    const made = await index.createNamespace({
      name: "y",
      schema: { fields: { page: { filterable: true } } },
    });
    expect(made).toMatchObject({ name: "y", recordCount: "0" });
    expect(await index.describeNamespace("x")).toMatchObject({ name: "x", recordCount: "3" });
    expect((await index.listNamespaces()).namespaces?.map((each) => each.name)).toEqual(["x", "y"]);
    await index.deleteNamespace("x");
    await expect(index.describeNamespace("x")).rejects.toMatchObject({
      name: "PineconeNotFoundError",
    });
    const other = client.index({ name, namespace: "none" });
    await expect(other.deleteAll()).rejects.toMatchObject({ name: "PineconeNotFoundError" });
  });

  it("is told what the service tells it of bad records", async () => {
    const { index, emulator, name } = await connectIndex();
    const upsert = (values: readonly number[] | Float32Array, metadata?: object) =>
      index.upsert({ records: [{ id: "a", values, metadata } as (typeof records)[0]] });
    await expect(upsert([1, 2])).rejects.toMatchObject({
      name: "PineconeBadRequestError",
      message: "Vector dimension 2 does not match the dimension of the index 3",
    });
    await expect(upsert(Float32Array.of(1, 2, 3))).rejects.toThrow("invalid value");
    await expect(upsert([1, Number.NaN, 3])).rejects.toThrow("invalid value null");
    await expect(upsert([0, 0, 0])).rejects.toThrow("at least one non-zero value");
    await expect(upsert([1, 2, 3], { page: null })).rejects.toThrow("Metadata value must be");
    await expect(upsert([1, 2, 3], { text: "x".repeat(41_000) })).rejects.toThrow("Metadata size");
    const many = Array.from({ length: 200 }, (_, number) => ({
      id: `${number}`,
      values: [1, 2, 3],
      metadata: { text: "x".repeat(12_000) },
    }));
    await expect(index.upsert({ records: many })).rejects.toThrow(
      "Request size 3MB exceeds the maximum supported size of 2MB",
    );
    expect(emulator.stats().byOperation.upsert).toBe(7);
    expect(emulator.records(name, "x").size).toBe(0);
    await upsert([1, 2, 3]);
    expect(emulator.records(name, "x").size).toBe(1);
  });

  it("does not wait when the rate is limited, and is told that a key is wrong", async () => {
    const { index, emulator } = await connectIndex();
    emulator.behave([
      { kind: "rate-limit", retryAfter: "1" },
      { kind: "status", status: 401 },
    ]);
    await expect(index.upsert({ records })).rejects.toThrow("429");
    await expect(index.upsert({ records })).rejects.toMatchObject({
      name: "PineconeAuthorizationError",
    });
    expect(emulator.stats().byOperation.upsert).toBe(2);
  });

  it("shows the log sequence numbers to nobody but a fetch of one's own", async () => {
    const { emulator, name } = await connectIndex({ visibilityDelayMs: 60_000 });
    const seen: (string | null)[] = [];
    const client = new Pinecone({
      apiKey: "key",
      controllerHostUrl: emulator.url,
      fetchApi: async (input, init) => {
        const response = await fetch(input, init);
        const { headers } = response;
        seen.push(headers.get("x-pinecone-request-lsn"), headers.get("x-pinecone-max-indexed-lsn"));
        return response;
      },
    });
    const { host } = await client.indexes.describe(name);
    const index = client.index({ host, namespace: "x" });
    await index.upsert({ records });
    await index.deleteOne({ id: "doc#1" });
    expect((await index.query({ id: "doc#2", topK: 1 })).matches).toEqual([]);
    expect(seen).toEqual([null, null, "1", null, "2", null, null, "0"]);
  });

  it("cannot make an index when it is pinned to an API before 2026-07", async () => {
    const { client, name } = await connect({}, { "X-Pinecone-Api-Version": described });
    // Its requests are of the new form all the same.
    await expect(client.indexes.create({ name, dimension: 3, spec })).rejects.toMatchObject({
      name: "PineconeUnprocessableEntityError",
    });
  });
});
