import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../../src/engine/index.ts";
import { until } from "../../e2e/support/until.ts";
import { describeLive } from "../support/live-servers.ts";
import { FanOut, unhurried } from "./support/fan-out.ts";
import { expectEqual } from "./support/round.ts";
import {
  breakWires,
  dimensions,
  mendWires,
  otherDimension,
  remoteNames,
  type Rows,
  type StoreName,
  storeNames,
} from "./support/stores.ts";

/** Who has the collection in the end, and how the run ended that met it. */
interface Altered {
  readonly theirs: Rows;
  readonly met: RunResult;
}

/** Runs, and calls at once when the first write to a store is acknowledged. */
function runUntilWrite(fanOut: FanOut, name: StoreName, then: () => void): Promise<RunResult> {
  let writes = 0;
  const observe: NonNullable<Parameters<FanOut["run"]>[0]>["observe"] = (event) => {
    if (event.kind !== "records-written" || event.sink !== name) return;
    writes += 1;
    if (writes === 1) then();
  };
  return fanOut.run({ observe }, unhurried());
}

/** What a run sends after its first write arrives when another pipeline has made the collection anew. */
async function alterServer(fanOut: FanOut, name: StoreName): Promise<Altered> {
  const store = fanOut.stores[name];
  const run = runUntilWrite(fanOut, name, () => breakWires(store, { kind: "hold" }));
  const isHeld = (): boolean => store.wires.some(({ struck }) => struck > 0);
  expect(await until(isHeld, 30_000)).toBe(true);
  await store.drop();
  await fanOut.occupy(name);
  const theirs = await store.rows();
  await mendWires(store);
  return { theirs, met: await run };
}

/** The folder of another pipeline takes the place of the database after a run's first write. */
async function alterFolder(fanOut: FanOut): Promise<Altered> {
  const { lancedb } = fanOut.stores;
  const { place } = fanOut;
  await fanOut.occupy("lancedb", lancedb.elsewhere("neighbour"));
  const theirs = await lancedb.rows("neighbour");
  const met = await runUntilWrite(fanOut, "lancedb", () => {
    renameSync(place.index, join(place.folder, "dropped"));
    renameSync(join(place.folder, "neighbour"), place.index);
  });
  return { theirs, met };
}

describeLive("milvus", ({ address }) => {
  describeLive("weaviate", ({ ports }) => {
    describe("a collection that is made anew with another dimension between plan and write", () => {
      for (const name of storeNames) {
        const title = `of ${name} takes nothing more, is refused by name, and taken when that is meant`;
        test.concurrent(title, { timeout: 180_000 }, async () => {
          await using fanOut = await FanOut.make({ milvus: address, weaviate: ports }, 3);
          await fanOut.begin();
          await fanOut.change();
          const store = fanOut.stores[name];
          const isRemote = remoteNames.some((remote) => remote === name);
          const { theirs, met } = await (isRemote
            ? alterServer(fanOut, name)
            : alterFolder(fanOut));
          expect(met.summary).toMatchObject({ status: "failed", error: { code: "sink.missing" } });
          expect(await store.rows()).toStrictEqual(theirs);
          const others = storeNames.filter((other) => other !== name);
          expectEqual(await fanOut.contents(others), await fanOut.fresh(others), others);

          const wanted = dimensions[name];
          const refused = await fanOut.run({}, [`sinks.${name}.dimension=${wanted}`]);
          const error = { code: "refused.dimension" };
          expect(refused.summary).toMatchObject({ status: "refused", error });
          const { message } = refused.summary.error ?? {};
          expect(message).toContain(`has dimension ${otherDimension}`);
          expect(message).toContain(`\`dimension: ${wanted}\``);
          expect(await store.rows()).toStrictEqual(theirs);

          // The records stand beside the others' then, cut to what is there, from the cache.
          const meant = await fanOut.run({}, [`sinks.${name}.dimension=auto`]);
          expect(meant.summary).toMatchObject({ status: "succeeded", chunks: { embedded: 0 } });
          expect(meant.summary.sinks[name]).toMatchObject({ dimension: otherDimension });
          const both = await store.rows();
          const ours = meant.summary.sinks[name]?.upserted ?? 0;
          expect(ours).toBeGreaterThan(30);
          expect(both.size).toBe(theirs.size + ours);
          for (const [id, row] of theirs) expect(both.get(id)).toStrictEqual(row);
        });
      }
    });
  });
});
