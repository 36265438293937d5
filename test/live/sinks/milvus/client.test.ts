import { spawnSync } from "node:child_process";
import { DataType } from "@zilliz/milvus2-sdk-node";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  makeAngle,
  makeRecord,
  makeRecords,
  specOf,
  toDelete,
  toUpsert,
  writeAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { connectMilvus } from "../../support/milvus-client.ts";
import { makeMilvusSink, milvusServers, newName } from "../../support/milvus-sink.ts";
import { useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();

/** Runs a module in a process of its own. */
function run(source: string) {
  return spawnSync(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_NO_WARNINGS: "1", NODE_ENV: "production" },
    encoding: "utf8",
    timeout: 30_000,
  });
}

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    async function makeRaw(): Promise<string> {
      const collection_name = milvus.newCollection();
      await milvus.client.createCollection({
        collection_name,
        fields: [
          { name: "id", data_type: DataType.VarChar, is_primary_key: true, max_length: 64 },
          { name: "vector", data_type: DataType.FloatVector, dim: 4 },
        ],
      });
      await milvus.client.createIndex({
        collection_name,
        field_name: "vector",
        index_type: "HNSW",
        metric_type: "L2",
        params: { M: 8, efConstruction: 64 },
      });
      await milvus.client.loadCollectionSync({ collection_name });
      return collection_name;
    }

    describe("what the official client and the server do, and the sink does not", () => {
      it("rows of other lengths are stored shifted", async () => {
        const collection_name = await makeRaw();
        const rows = [
          { id: "d", vector: [1, 2, 3] },
          { id: "e", vector: [1, 2, 3, 4, 5] },
        ];
        const { status } = await milvus.client.upsert({
          collection_name,
          data: rows,
          timeout: 10_000,
        });
        expect(status.code).toBe(0);
        const { data } = await milvus.client.query({
          collection_name,
          filter: 'id in ["d", "e"]',
          output_fields: ["vector"],
          consistency_level: 0,
        });
        const stored = Object.fromEntries(data.map((row) => [row["id"], row["vector"]]));
        expect(stored).toEqual({ d: [1, 2, 3, 1], e: [2, 3, 4, 5] });

        const { opened } = await milvus.create();
        const short = [7, 9].map((length) => makeRecord(1, 8, { vector: makeAngle(0, length) }));
        await expect(opened.write(short.map(toUpsert), signal)).rejects.toMatchObject({
          code: "sink.dimension",
        });
        expect(await opened.count(undefined, signal)).toBe(0);
      });

      it("an id deletes another one's row", async () => {
        const odd = `q"] or id in ["b`;
        const collection_name = await makeRaw();
        const rows = ["a", "b"].map((id) => ({ id, vector: [1, 0, 0, 0] }));
        await milvus.client.upsert({ collection_name, data: rows, timeout: 10_000 });
        await milvus.client.delete({ collection_name, ids: [odd] });
        const { data } = await milvus.client.query({
          collection_name,
          filter: 'id >= ""',
          output_fields: ["id"],
          consistency_level: 0,
          limit: 10,
        });
        expect(data.map(({ id }) => id)).toEqual(["a"]);

        const { opened } = await milvus.create();
        const records = ["a", "b", odd].map((id, index) => makeRecord(index, 8, { id }));
        await opened.write(records.map(toUpsert), signal);
        await opened.write([toDelete({ id: odd })], signal);
        const left = await opened.read(["a", "b", odd], { vectors: false }, signal);
        expect(left.map(({ id }) => id).toSorted()).toEqual(["a", "b"]);
      });

      it("an iterator may lose records", async () => {
        const { collection, opened } = await milvus.create();
        const records = makeRecords(3_000, 8);
        await writeAll(opened, records.map(toUpsert), signal);
        const iterator = await milvus.client.queryIterator({
          collection_name: collection,
          expr: 'pipeline == "law"',
          batchSize: 500,
          output_fields: ["id"],
          consistency_level: 0,
        });
        const given = new Set<unknown>();
        for await (const page of iterator) for (const row of page ?? []) given.add(row["id"]);
        // The real Milvus sorts without being asked.
        if (name === "milvus") expect(given.size).toBe(3_000);
        else expect(given.size).toBeLessThan(3_000);

        const scanned = new Set<string>();
        for await (const page of opened.scan({ pipeline: "law" }, signal)) {
          for (const { id } of page) scanned.add(id);
        }
        expect(scanned.size).toBe(3_000);
      });
    });
  });
}

describeLive("milvus-lite", ({ address }) => {
  it("a method that is not there succeeds in the official client, which the sink does not use", async () => {
    const client = await connectMilvus(address);
    onTestFinished(async () => void (await client.closeConnection()));
    expect(await client.listUsers()).toEqual({});
  });

  it("an unreachable server ends a process with the official client, and none with the sink", () => {
    const official = run(`
      import sdk from "@zilliz/milvus2-sdk-node";
      new sdk.MilvusClient({ address: "127.0.0.1:1", maxRetries: 0 });
      setTimeout(() => process.exit(7), 5_000);
    `);
    expect(official.status).toBe(1);
    const ours = run(`
      import { makeMilvusSink } from "../../support/milvus-sink.ts";
      const sink = makeMilvusSink("127.0.0.1:1", "handbook");
      const { code } = await sink.describe(AbortSignal.timeout(10_000)).catch((error) => error);
      await sink.close();
      if (code !== "sink.unreachable") process.exit(9);
      setTimeout(() => process.exit(7), 100);
    `);
    expect(ours).toMatchObject({ status: 7, stdout: "", stderr: "" });
  });
});

describeLive("milvus", ({ address }) => {
  it(
    "a request beyond the server's limit is told to be made smaller",
    { timeout: 120_000 },
    async () => {
      const collection = newName();
      const sink = makeMilvusSink(address, collection);
      const opened = await sink.create(specOf({ dimension: 4_096 }, sink), signal);
      const vector = makeAngle(1, 4_096);
      const records = Array.from({ length: 4_200 }, (_, index) =>
        makeRecord(index, 4_096, { vector }),
      );
      await expect(opened.write(records.map(toUpsert), signal)).rejects.toMatchObject({
        code: "sink.too-large",
        retry: "smaller",
        scope: "document",
        ambiguous: false,
      });
      expect(await opened.count(undefined, signal)).toBe(0);
      const client = await connectMilvus(address);
      await client.dropCollection({ collection_name: collection });
      await client.closeConnection();
      await sink.close();
    },
  );
});
