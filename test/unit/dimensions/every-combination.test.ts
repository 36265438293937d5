import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clock } from "../../../src/contracts/index.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { type PineconeEmulator, startPineconeEmulator } from "../../../src/testkit/index.ts";
import { VirtualClock } from "../engine/rig/virtual-clock.ts";
import { combinations } from "./combinations/combination.ts";
import { lancedb } from "./combinations/lancedb-store.ts";
import { memory } from "./combinations/memory-store.ts";
import { pinecone } from "./combinations/pinecone-store.ts";
import type { Store } from "./combinations/store.ts";
import { tryCombination } from "./combinations/try-combination.ts";

let folder = "";
let emulator: PineconeEmulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-dimensions-"));
  emulator = await startPineconeEmulator();
});

afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

/** Counts what became of so many random combinations. */
async function tryMany(
  stores: readonly Store[],
  maxSinks: number,
  numRuns: number,
  newClock: () => Clock = () => systemClock,
): Promise<{ readonly written: number; readonly refused: number }> {
  const counts = { written: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(combinations(stores, maxSinks), async (combination) => {
      counts[await tryCombination(combination, newClock())] += 1;
    }),
    { numRuns },
  );
  return counts;
}

describe("the engine writes vectors of the live length, normalised and of one space, or nothing at all,", () => {
  it("to one or two collections in memory, whatever they say they are", async () => {
    const { written, refused } = await tryMany([memory], 2, 1000, () => new VirtualClock());
    expect(written).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  }, 60_000);

  it("to up to three collections at once in memory, LanceDB and Pinecone", async () => {
    const { written, refused } = await tryMany(
      [memory, lancedb(folder), pinecone(emulator)],
      3,
      40,
    );
    expect(written).toBeGreaterThan(2);
    expect(refused).toBeGreaterThan(2);
  }, 60_000);
});
