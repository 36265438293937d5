import { randomUUID } from "node:crypto";
import { ConsistencyLevelEnum, DataType, type MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { describeLive } from "../support/live-servers.ts";
import { connectMilvus } from "../support/milvus-client.ts";

const dimension = 8;
const rows = Array.from({ length: 100 }, (_, index) => ({
  id: `row-${index}`,
  vector: Array.from({ length: dimension }, (__, at) => Math.sin(index * dimension + at)),
}));

/** A loaded collection with these rows in it. */
async function fill(client: MilvusClient): Promise<string> {
  const name = `c_${randomUUID().replaceAll("-", "")}`;
  const created = await client.createCollection({
    collection_name: name,
    consistency_level: "Strong",
    fields: [
      { name: "id", data_type: DataType.VarChar, is_primary_key: true, max_length: 20 },
      { name: "vector", data_type: DataType.FloatVector, dim: dimension },
    ],
  });
  expect(created.code).toBe(0);
  const indexed = await client.createIndex({
    collection_name: name,
    field_name: "vector",
    index_type: "HNSW",
    metric_type: "COSINE",
    params: { M: 8, efConstruction: 64 },
  });
  expect(indexed.code).toBe(0);
  const loaded = await client.loadCollectionSync({ collection_name: name });
  expect(loaded.code).toBe(0);
  const { status } = await client.upsert({ collection_name: name, data: rows });
  expect(status.code).toBe(0);
  return name;
}

/** Undefined while the server cannot say: a restarted Milvus takes a moment to load its collections again. */
async function count(client: MilvusClient, name: string): Promise<number | undefined> {
  const { status, data } = await client.query({
    collection_name: name,
    filter: "",
    output_fields: ["count(*)"],
    consistency_level: ConsistencyLevelEnum.Strong,
    timeout: 10_000,
  });
  return status.code === 0 ? Number(data[0]?.["count(*)"]) : undefined;
}

const servers = [
  { name: "milvus-lite", version: "milvus_lite-3.2.2" },
  { name: "milvus", version: "v2.3.5-lite" },
] as const;

for (const { name, version } of servers) {
  describeLive(name, (server) => {
    let client: MilvusClient;

    beforeAll(async () => {
      client = await connectMilvus(server.address);
    });

    afterAll(async () => {
      await client.closeConnection();
    });

    test("the official client finds the version that was asked for", async () => {
      expect((await client.getVersion()).version).toBe(version);
    });

    test("rows are counted at once, and each is its own nearest", async () => {
      const collection = await fill(client);
      expect(await count(client, collection)).toBe(rows.length);
      for (const { id, vector } of rows.slice(0, 3)) {
        const { results } = await client.search({
          collection_name: collection,
          data: vector,
          limit: 1,
          output_fields: ["id"],
          consistency_level: ConsistencyLevelEnum.Strong,
        });
        expect(results[0]).toMatchObject({ id });
      }
      await client.dropCollection({ collection_name: collection });
    });

    test("a row of another length does not fit", async () => {
      const collection = await fill(client);
      const wrong = { id: "wrong", vector: [1, 2, 3] };
      const { status } = await client.upsert({ collection_name: collection, data: [wrong] });
      expect(status.code).not.toBe(0);
      expect(await count(client, collection)).toBe(rows.length);
      await client.dropCollection({ collection_name: collection });
    });

    test(
      "what it acknowledged is there after `kill -9` and a restart",
      { timeout: 120_000 },
      async () => {
        await using own = await startServer(name);
        const before = await connectMilvus(own.address);
        const collection = await fill(before);
        await own.kill();
        await expect(connectMilvus(own.address)).rejects.toThrow();
        await before.closeConnection();
        await own.restart();
        const after = await connectMilvus(own.address);
        await expect
          .poll(() => count(after, collection), { timeout: 60_000, interval: 250 })
          .toBe(rows.length);
        await after.closeConnection();
      },
    );
  });
}

describeLive("milvus", (server) => {
  test("an id that is too long in bytes is refused, which Milvus Lite does not do", async () => {
    const client = await connectMilvus(server.address);
    const collection = await fill(client);
    const row = { id: "é".repeat(15), vector: rows[0]!.vector };
    const { status } = await client.upsert({ collection_name: collection, data: [row] });
    expect(status).toMatchObject({ code: 1100, reason: expect.stringContaining("max length") });
    await client.dropCollection({ collection_name: collection });
    await client.closeConnection();
  });
});
