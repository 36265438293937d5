import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, onTestFinished } from "vitest";
import type { Source, SourceEvent } from "../../../src/contracts/index.ts";
import { run } from "../../../src/engine/run.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";

const total = 5_000;
/** Each of these is a moment with other documents in flight; the least of five is what is held at all times. */
const early = [1_000, 1_100, 1_200, 1_300, 1_400];
const late = [4_000, 4_100, 4_200, 4_300, 4_400];
/** What a run may hold of a document that is settled: less than its name in a set, more than chance makes of it. */
const bytesPerDocument = 80;

/** Documents that are made as they are asked for: a source that keeps none. */
function passing(rig: Rig): Source["read"] {
  return async function* (): AsyncGenerator<SourceEvent> {
    yield { kind: "listing", resumed: false };
    for (let number = 0; number < total; number += 1) {
      const text = { text: `text ${number} of a document`, revision: "1" };
      yield { kind: "document", document: rig.source.refOf(`folder/d${number}`, text) };
    }
    yield { kind: "end", listing: "complete" };
  };
}

it("holds nothing of a document that is settled", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const rig = new Rig();
  const folder = mkdtempSync(join(tmpdir(), "sluice-flat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  rig.state = sqliteStateStore({ path: join(folder, "state.sqlite") });
  rig.source.read = passing(rig) as typeof rig.source.read;
  rig.sink.discards = true;
  rig.cache = undefined;
  const held = new Map<number, number>();
  let settled = 0;
  const { exitCode } = await run(rig.pipeline, {
    clock: systemClock,
    observe: (event) => {
      if (event.kind !== "document-settled") return;
      settled += 1;
      if (!early.includes(settled) && !late.includes(settled)) return;
      rig.forgetCounts();
      collect();
      held.set(settled, process.memoryUsage().heapUsed);
    },
  });
  await rig.state.close();
  expect(exitCode).toBe(0);
  const least = (moments: readonly number[]): number =>
    Math.min(...moments.map((moment) => held.get(moment) ?? Number.NaN));
  expect(least(late) - least(early)).toBeLessThan(3_000 * bytesPerDocument);
});
