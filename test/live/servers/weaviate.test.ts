import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configure, connectToLocal, type WeaviateClient } from "weaviate-client";
import type { PortsOf } from "../../../scripts/servers/catalog.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { describeLive } from "../support/live-servers.ts";

const dimension = 8;
const objects = Array.from({ length: 100 }, (_, index) => ({
  id: randomUUID(),
  properties: { number: index },
  vectors: Array.from({ length: dimension }, (__, at) => Math.sin(index * dimension + at)),
}));

function connect({ http, grpc }: PortsOf<"weaviate">): Promise<WeaviateClient> {
  return connectToLocal({ host: "127.0.0.1", port: http, grpcPort: grpc });
}

/** A collection with these objects in it. */
async function fill(client: WeaviateClient): Promise<string> {
  const name = `C${randomUUID().replaceAll("-", "")}`;
  const collection = await client.collections.create({
    name,
    vectorizers: configure.vectors.selfProvided(),
    properties: [{ name: "number", dataType: "int" }],
  });
  const { hasErrors } = await collection.data.insertMany(objects);
  expect(hasErrors).toBe(false);
  return name;
}

async function count(client: WeaviateClient, name: string): Promise<number> {
  return (await client.collections.use(name).aggregate.overAll()).totalCount;
}

describeLive("weaviate", (server) => {
  let client: WeaviateClient;

  beforeAll(async () => {
    client = await connect(server.ports);
  });

  afterAll(() => client.close());

  test("the official client finds the version that was asked for", async () => {
    expect(await client.getWeaviateVersion()).toMatchObject({ major: 1, minor: 39, patch: 0 });
  });

  test("objects are counted at once, and each is its own nearest", async () => {
    const name = await fill(client);
    expect(await count(client, name)).toBe(objects.length);
    for (const { id, vectors } of objects.slice(0, 3)) {
      const found = await client.collections.use(name).query.nearVector(vectors, { limit: 1 });
      expect(found.objects.map(({ uuid }) => uuid)).toStrictEqual([id]);
    }
    await client.collections.delete(name);
  });

  test("an object of another length does not fit", async () => {
    const name = await fill(client);
    const wrong = { id: randomUUID(), properties: { number: 0 }, vectors: [1, 2, 3] };
    const { errors } = await client.collections.use(name).data.insertMany([wrong]);
    expect(errors[0]?.message).toContain("vector with length 3");
    expect(await count(client, name)).toBe(objects.length);
    await client.collections.delete(name);
  });

  test(
    "what it acknowledged is there after `kill -9` and a restart",
    { timeout: 120_000 },
    async () => {
      await using own = await startServer("weaviate");
      const before = await connect(own.ports);
      const name = await fill(before);
      await own.kill();
      await expect(connect(own.ports)).rejects.toThrow();
      await before.close();
      await own.restart();
      const after = await connect(own.ports);
      expect(await count(after, name)).toBe(objects.length);
      const found = await after.collections
        .use(name)
        .query.fetchObjectById(objects[7]!.id, { includeVector: true });
      expect(found?.vectors["default"]).toHaveLength(dimension);
      await after.close();
    },
  );
});
