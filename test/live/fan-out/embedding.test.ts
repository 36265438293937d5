import { expect, test } from "vitest";
import { probeTexts } from "../../../src/engine/space.ts";
import { describeLive } from "../support/live-servers.ts";
import { FanOut } from "./support/fan-out.ts";
import { expectEqual } from "./support/round.ts";
import { breakWires, dimensions, mendWires, storeNames } from "./support/stores.ts";

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    test("four stores of four dimensions cost one embedding, also of one that comes late", async () => {
      await using fanOut = await FanOut.make({ milvus: address, weaviate: ports }, 1);
      const { embedder, stores, docs } = fanOut;
      await fanOut.configure(["milvus", "weaviate", "lancedb"]);
      await docs.add(14, 3);
      expect((await fanOut.run()).exitCode).toBe(0);
      const { size } = await stores.lancedb.rows();
      expect(size).toBeGreaterThan(30);
      expect(embedder.stats().texts).toBe(size + probeTexts.length);
      expect(fanOut.embeddings()).toEqual(Array.from({ length: size }, () => 1));

      // A fourth sink is added to a pipeline that has run.
      await fanOut.configure();
      embedder.reset();
      const { summary } = await fanOut.run();
      expect(summary).toMatchObject({ status: "succeeded", chunks: { embedded: 0 } });
      expect(embedder.stats().texts).toBe(probeTexts.length);
      for (const name of storeNames) {
        const upserted = name === "pinecone" ? size : 0;
        expect(summary.sinks[name]).toMatchObject({ dimension: dimensions[name], upserted });
      }

      // A sink fails, and is caught up later.
      await fanOut.change();
      embedder.reset();
      breakWires(stores.milvus, { kind: "refuse" });
      expect((await fanOut.run()).summary).toMatchObject({
        status: "failed",
        error: { code: "sink.unreachable" },
      });
      const asked = fanOut.embeddings();
      expect(asked.length).toBeGreaterThan(10);
      await mendWires(stores.milvus);
      const caughtUp = await fanOut.run();
      expect(caughtUp.summary).toMatchObject({ status: "succeeded", chunks: { embedded: 0 } });
      expect(fanOut.embeddings()).toEqual(asked.map(() => 1));
      expectEqual(await fanOut.contents(), await fanOut.fresh());
      await fanOut.expectVerified();
      await expectLengths(fanOut);
    }, 120_000);
  });
});

/** Every store shows vectors of its own dimension, and no others. */
async function expectLengths(fanOut: FanOut): Promise<void> {
  const contents = await fanOut.contents();
  for (const name of storeNames) {
    const lengths = [...contents[name].values()].map((row) => longestArray(row));
    expect(new Set(lengths), name).toEqual(new Set([dimensions[name]]));
  }
}

/** The length of a record's vector, wherever the store shows it: no other list is as long. */
function longestArray(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? value.length : 0;
  return Math.max(own, ...Object.values(value).map((part) => longestArray(part)));
}
