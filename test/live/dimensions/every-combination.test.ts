import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { combinations } from "../../unit/dimensions/combinations/combination.ts";
import { memory } from "../../unit/dimensions/combinations/memory-store.ts";
import type { Store } from "../../unit/dimensions/combinations/store.ts";
import { tryCombination } from "../../unit/dimensions/combinations/try-combination.ts";
import { describeLive } from "../support/live-servers.ts";
import { connectMilvus } from "../support/milvus-client.ts";
import { dropCollection } from "../support/milvus-sink.ts";
import { askWeaviate } from "../support/weaviate-sink.ts";
import { milvus } from "./milvus-store.ts";
import { weaviate } from "./weaviate-store.ts";

const name =
  "the engine writes vectors of the live length, normalised and of one space, or nothing at all";
const timeoutMs = 300_000;

/**
 * Tries random combinations of up to two sinks, and expects both outcomes. Always the same ones, since a few of others may
 * all end alike. A failure is told as it is: making it small takes too long on a server.
 */
async function tryMany(store: Store, numRuns: number): Promise<void> {
  const counts = { written: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(combinations([store, memory], 2), async (combination) => {
      counts[await tryCombination(combination)] += 1;
    }),
    { numRuns, seed: 1, endOnFailure: true },
  );
  expect(counts.written).toBeGreaterThan(2);
  expect(counts.refused).toBeGreaterThan(2);
}

describeLive("milvus", ({ address }) => {
  test(
    name,
    async () => {
      const client = await connectMilvus(address);
      const made = new Set<string>();
      onTestFinished(async () => {
        for (const collection of made) await dropCollection(address, collection);
        await client.closeConnection();
      });
      await tryMany(milvus(address, client, made), 12);
    },
    timeoutMs,
  );
});

describeLive("weaviate", ({ ports }) => {
  test(
    name,
    async () => {
      const made = new Set<string>();
      onTestFinished(async () => {
        for (const collection of made) {
          await askWeaviate(ports, "DELETE", `/schema/${collection}`);
        }
      });
      await tryMany(weaviate(ports, made), 40);
    },
    timeoutMs,
  );
});
