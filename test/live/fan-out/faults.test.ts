import { describe, test } from "vitest";
import { describeLive } from "../support/live-servers.ts";
import { FanOut } from "./support/fan-out.ts";
import { chosenLanes } from "./support/matrix.ts";
import { report } from "./support/report.ts";
import { playRound } from "./support/round.ts";

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    describe("four stores are what a fresh pipeline makes of the folder,", () => {
      // Most of the time is spent waiting, until what was lost cannot land any more.
      for (const { fault, store, rounds, seed } of chosenLanes()) {
        const timeout = 60_000 + rounds.length * 150_000;
        const name = `also when at ${store} ${fault.name} (seed ${seed})`;
        test.concurrent(name, { timeout }, async () => {
          await using fanOut = await FanOut.make({ milvus: address, weaviate: ports }, seed);
          await fanOut.begin();
          for (const round of rounds) {
            const figures = await playRound(fanOut, { fault, store, ...round });
            report({ fault: fault.name, store, moment: round.moment, seed, ...figures });
          }
        });
      }
    });
  });
});
