import { describe, expect, test } from "vitest";
import { execute } from "../../../scripts/servers/execute.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import type { RunSummary } from "../../../src/engine/index.ts";
import { bin } from "../../e2e/cli/support/workplace.ts";
import { pick, type Random, randomFrom } from "../../e2e/support/prose.ts";
import { startRun } from "../../e2e/support/run-process.ts";
import { begunIn } from "../../e2e/support/state-file.ts";
import { until } from "../../e2e/support/until.ts";
import { describeLive } from "../support/live-servers.ts";
import { FanOut } from "./support/fan-out.ts";
import { killing } from "./support/faults.ts";
import { seedOf, serverKills, sigkills } from "./support/matrix.ts";
import { report } from "./support/report.ts";
import { expectEqual, playRound } from "./support/round.ts";

/** Documents at work at once, and chunks of one at most: so many texts may be embedded and not yet remembered. */
const textsAtWork = 4 * 16;

/** Runs the command and kills it in the midst of its writes; gives what it left begun, or nothing if it was faster. */
async function killOne({ place }: FanOut, random: Random): Promise<number | undefined> {
  const before = begunIn(place.state);
  const begun = (): number => begunIn(place.state).difference(before).size;
  await using child = startRun(place.file, "--allow-deletions");
  let looks = 1 + pick(random, 60);
  const reached = (): boolean => {
    if (begun() > 0) looks -= 1;
    return looks <= 0 || !child.running;
  };
  expect(await until(reached, 60_000)).toBe(true);
  const { signal } = await child.kill();
  return signal === "SIGKILL" ? begun() : undefined;
}

/** The folder changes and runs are killed, so many times; gives what each left begun. */
async function killMany(fanOut: FanOut, random: Random): Promise<readonly number[]> {
  const torn: number[] = [];
  for (let round = 0; torn.length < sigkills && round < 4 * sigkills; round += 1) {
    await fanOut.change();
    const begun = await killOne(fanOut, random);
    if (begun !== undefined) torn.push(begun);
  }
  expect(torn).toHaveLength(sigkills);
  expect(torn.filter((count) => count > 0).length).toBeGreaterThanOrEqual(sigkills / 2);
  return torn;
}

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    const shared = { milvus: address, weaviate: ports };
    const seed = seedOf(100);

    describe("four stores are what a fresh pipeline makes of the folder,", () => {
      const manyTimes = { timeout: 60_000 + sigkills * 30_000 };
      test.concurrent(
        `also after ${sigkills} SIGKILLs in the middle of runs (seed ${seed})`,
        manyTimes,
        async () => {
          await using fanOut = await FanOut.make(shared, seed);
          const { place } = fanOut;
          await fanOut.docs.add(14, 3);
          const torn = await killMany(fanOut, randomFrom(seed));
          const last = await startRun(place.file, "--allow-deletions").ended;
          const { duration_ms: repairMs, ...summary } = JSON.parse(last.stdout) as RunSummary;
          expect(summary).toMatchObject({ status: "succeeded", failures: [] });
          const fresh = await fanOut.fresh();
          expectEqual(await fanOut.contents(), fresh);
          await execute(process.execPath, [bin, "verify", place.file], { timeoutMs: 60_000 });
          const again = fanOut.embeddings().reduce((sum, times) => sum + times - 1, 0);
          expect(again).toBeLessThanOrEqual(sigkills * textsAtWork);
          const figures = { exitCode: null, brokenMs: 0, repairMs, records: fresh.lancedb.size };
          for (const begun of torn) {
            report({ fault: "SIGKILL", store: "all", moment: `${begun} begun`, seed, ...figures });
          }
        },
      );

      for (const [store, moments] of serverKills) {
        const name = `also when the server of ${store} is killed and comes back (seed ${seed})`;
        const timeout = 60_000 + moments.length * 120_000;
        test.concurrent(name, { timeout }, async () => {
          await using server = await startServer(store);
          const own = store === "milvus" ? { milvus: server.address } : { weaviate: server.ports };
          await using fanOut = await FanOut.make({ ...shared, ...own }, seed);
          await fanOut.begin();
          const fault = killing(server);
          for (const moment of moments) {
            const figures = await playRound(fanOut, { fault, store, moment, writes: 1 });
            report({ fault: fault.name, store, moment, seed, ...figures });
          }
        });
      }
    });
  });
});
