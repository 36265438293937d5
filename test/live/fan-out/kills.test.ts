import { describe, expect, test } from "vitest";
import { execute } from "../../../scripts/servers/execute.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import type { RunSummary } from "../../../src/engine/index.ts";
import { bin } from "../../e2e/cli/support/workplace.ts";
import { pick, randomFrom } from "../../e2e/support/prose.ts";
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

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    describe("four stores are what a fresh pipeline makes of the folder,", () => {
      const seed = seedOf(100);

      test(
        `also after ${sigkills} SIGKILLs in the middle of runs (seed ${seed})`,
        async () => {
          await using fanOut = await FanOut.make({ milvus: address, weaviate: ports }, seed);
          const { place } = fanOut;
          const random = randomFrom(seed);
          await fanOut.docs.add(14, 3);
          const torn: number[] = [];
          for (let round = 0; torn.length < sigkills && round < 4 * sigkills; round += 1) {
            await fanOut.change();
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
            if (signal === "SIGKILL") torn.push(begun());
          }
          expect(torn).toHaveLength(sigkills);
          expect(torn.filter((count) => count > 0).length).toBeGreaterThan(sigkills / 2);

          const last = await startRun(place.file, "--allow-deletions").ended;
          const { duration_ms, ...summary } = JSON.parse(last.stdout) as RunSummary;
          expect(summary).toMatchObject({ status: "succeeded", failures: [] });
          const fresh = await fanOut.fresh();
          expectEqual(await fanOut.contents(), fresh);
          const records = fresh.lancedb.size;
          await execute(process.execPath, [bin, "verify", place.file], { timeoutMs: 60_000 });
          const times = fanOut.embeddings();
          const again = times.reduce((sum, count) => sum + count - 1, 0);
          expect(again).toBeLessThanOrEqual(sigkills * textsAtWork);
          const figures = { exitCode: null, brokenMs: 0, repairMs: duration_ms, records };
          for (const begun of torn) {
            report({ fault: "SIGKILL", store: "all", moment: `${begun} begun`, seed, ...figures });
          }
        },
        60_000 + sigkills * 30_000,
      );

      for (const [store, moments] of serverKills) {
        test(
          `also when the server of ${store} is killed and comes back (seed ${seed})`,
          async () => {
            await using server = await startServer(store);
            const servers =
              store === "milvus"
                ? { milvus: server.address, weaviate: ports }
                : { milvus: address, weaviate: server.ports };
            await using fanOut = await FanOut.make(servers, seed);
            await fanOut.begin();
            const fault = killing({ [store]: server });
            for (const moment of moments) {
              const figures = await playRound(fanOut, { fault, store, moment, writes: 1 });
              report({ fault: fault.name, store, moment, seed, ...figures });
            }
          },
          60_000 + moments.length * 120_000,
        );
      }
    });
  });
});
