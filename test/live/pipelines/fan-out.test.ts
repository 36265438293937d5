import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { closePipeline, plan, run, verify } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import { startPineconeEmulator } from "../../../src/testkit/index.ts";
import { describeLive } from "../support/live-servers.ts";
import { dropCollection, newName } from "../support/milvus-sink.ts";
import { addressesOf, askWeaviate, newCollection } from "../support/weaviate-sink.ts";

const file = fileURLToPath(new URL("../../../pipelines/fan-out.yaml", import.meta.url));

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    test("the ready pipeline keeps three stores at three dimensions, from one embedding of each text", async () => {
      await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-fan-out-"));
      const emulator = await startPineconeEmulator({ visibilityDelayMs: 20 });
      const [milvus, weaviate] = [newName(), newCollection()];
      onTestFinished(async () => {
        await emulator.close();
        await dropCollection(address, milvus);
        await askWeaviate(ports, "DELETE", `/schema/${weaviate}`);
      });
      const { url = "", grpc_url = "" } = addressesOf(ports);
      const pipeline = await loadPipeline(file, {
        env: {
          MILVUS_ADDRESS: address,
          WEAVIATE_URL: url,
          WEAVIATE_GRPC_URL: grpc_url,
          PINECONE_URL: emulator.url,
        },
        set: [
          `sinks.milvus.collection=${milvus}`,
          `sinks.weaviate.collection=${weaviate}`,
          `state.path=${join(folder.path, "state.sqlite")}`,
          `cache.path=${join(folder.path, "cache.sqlite")}`,
        ],
      });
      try {
        const { plan: before } = await plan(pipeline);
        const rows = before.sinks.map(({ sink, action, dimension, sliced }) => {
          return { sink, action, dimension, sliced };
        });
        expect(rows).toEqual([
          { sink: "milvus", action: "create", dimension: 1024, sliced: false },
          { sink: "weaviate", action: "create", dimension: 512, sliced: true },
          { sink: "pinecone", action: "create", dimension: 256, sliced: true },
        ]);

        const { summary, exitCode } = await run(pipeline);
        expect(exitCode).toBe(0);
        const { total, embedded } = summary.chunks;
        // Equal texts of several pages are embedded once.
        expect(embedded).toBeLessThanOrEqual(total);
        expect(embedded).toBeGreaterThan(100);
        for (const sink of ["milvus", "weaviate", "pinecone"]) {
          expect(summary.sinks[sink]).toMatchObject({ upserted: total, failed: 0 });
        }
        expect((await verify(pipeline)).exitCode).toBe(0);
      } finally {
        await closePipeline(pipeline);
      }
    });
  });
});
