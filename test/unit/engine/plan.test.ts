import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plan } from "../../../src/engine/plan.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

async function planned(rig: Rig): Promise<Awaited<ReturnType<typeof plan>>> {
  return plan(rig.pipeline, { clock: rig.clock });
}

type Step = readonly [what: "put" | "touch" | "break" | "remove" | "describe", id: number];

function apply(rig: Rig, [what, number]: Step, version: string): void {
  const id = `d${number}`;
  const known = rig.source.documents.has(id);
  if (what === "put") rig.source.put(id, `text ${version}\nsame`);
  else if (what === "break") rig.source.put(id, "!malformed");
  else if (!known) return;
  else if (what === "touch") rig.source.touch(id);
  else if (what === "describe") rig.source.describe(id, { metadata: { version } });
  else rig.source.remove(id);
}

describe("a plan", () => {
  it("says of any change what the run then does, and changes nothing", async () => {
    const what = fc.constantFrom("put", "touch", "break", "remove", "describe");
    const steps = fc.array(fc.tuple(what, fc.nat(7)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 4 }), async (runs) => {
        const rig = new Rig({ sinks: ["wide", "narrow"] });
        rig.sinkOf("narrow").dimension = 4;
        for (const [index, changes] of (runs as Step[][]).entries()) {
          for (const [at, step] of changes.entries()) apply(rig, step, `${index}.${at}`);
          const markers = [...rig.sinks.values()].map(({ marker }) => JSON.stringify(marker));
          const { plan: said, exitCode } = await planned(rig);
          expect([...rig.sinks.values()].map(({ marker }) => JSON.stringify(marker))).toEqual(
            markers,
          );
          rig.forgetCounts();
          const { summary, exitCode: done } = await rig.run();
          const { listed, added, updated, unchanged, deleted, withheld, failed } =
            summary.documents;
          expect(said.documents).toEqual({
            listed,
            add: added,
            update: updated,
            delete: deleted,
            withhold: withheld,
            unchanged,
            failed,
          });
          expect(said.chunks.to_embed).toBe(summary.chunks.embedded);
          expect(exitCode === 4).toBe(done === 4);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("of a pipeline that never ran makes neither state nor collection", async () => {
    const rig = new Rig();
    rig.source.put("a", "one\ntwo\ntwo");
    const { plan: said } = await planned(rig);
    expect(said).toMatchObject({
      documents: { listed: 1, add: 1 },
      chunks: { total: 3, to_embed: 2, cached: 1, exact: true },
      sinks: [{ sink: "main", exists: false, dimension: 8, action: "create" }],
      to_do: true,
    });
    expect(rig.sink.marker).toBeUndefined();
    const signal = new AbortController().signal;
    expect(await rig.state.open({ pipeline: "rig", mode: "read" }, signal)).toBeUndefined();
  });

  it("finds nothing to do after a run", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    const { plan: said, exitCode } = await planned(rig);
    expect([said.to_do, exitCode]).toEqual([false, 0]);
    expect(rig.source.opens).toEqual(["a"]);
  });

  it("works while a run holds the lease", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    let exitCode: number | undefined;
    rig.source.beforeOpen = async () => {
      rig.source.beforeOpen = async () => {};
      ({ exitCode } = await planned(rig));
    };
    await rig.run();
    expect(exitCode).toBe(0);
  });

  it("tells of deletions that a run would withhold: too many, moved, removed", async () => {
    const rig = new Rig();
    const other = new RigSource();
    rig.sources.set("other", { source: other });
    for (let number = 0; number < 40; number += 1) rig.source.put(`d${number}`, `t${number}`);
    other.put("o", "other");
    await rig.run();
    for (let number = 0; number < 11; number += 1) rig.source.remove(`d${number}`);
    rig.sources.delete("other");
    const { plan: said, exitCode } = await planned(rig);
    expect(exitCode).toBe(4);
    expect(said.documents).toMatchObject({ withhold: 12, delete: 0 });
    expect(said.withheld).toMatchObject([
      { source: "docs", count: 11, allowed: 10, reason: "fraction" },
      { source: "other", count: 1, reason: "removed" },
    ]);
    rig.source.identity = "rig:two";
    expect((await planned(rig)).plan.withheld[0]).toMatchObject({ reason: "identity" });
  });

  it.each<[string, (rig: Rig) => void, string | undefined]>([
    [
      "another model",
      (rig) => (rig.embedder.model = { ...rig.embedder.model, id: "other" }),
      "refused.space",
    ],
    ["another dimension", (rig) => (rig.sink.dimension = 4), "refused.dimension"],
    ["a lost state", (rig) => (rig.state = memoryStateStore()), "refused.state"],
  ])("refuses %s with the reason and the remedy", async (_what, change, code) => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    change(rig);
    const { plan: said, exitCode } = await planned(rig);
    expect(exitCode).toBe(4);
    const [sink] = said.sinks;
    expect(sink).toMatchObject({ action: "refuse", code });
    expect(sink?.remedy).toMatch(/./);
  });

  it("tells what a changed recipe would cost", async () => {
    const rig = new Rig();
    for (let number = 0; number < 10; number += 1) rig.source.put(`d${number}`, `t${number}`);
    await rig.run();
    const settings = rig.sources.get("docs");
    if (settings !== undefined) settings.chunkerRecipe = "lines 2";
    const { plan: said, exitCode } = await planned(rig);
    expect(exitCode).toBe(4);
    expect(said.reprocess).toEqual({ affected: 10, indexed: 10 });
  });

  it("estimates time by the speed of recent runs and cost by the price, and neither without", async () => {
    const rig = new Rig();
    rig.source.put("a", "one two three");
    const first = (await planned(rig)).plan;
    expect([first.estimated_seconds, first.estimated_cost]).toEqual([undefined, undefined]);
    rig.embedder.before = async () => rig.clock.sleep(1000, new AbortController().signal);
    rig.source.put("b", Array.from({ length: 2000 }, (_, index) => `w${index}`).join(" "));
    const { summary } = await rig.run();
    rig.source.put("c", Array.from({ length: 4000 }, (_, index) => `v${index}`).join(" "));
    rig.embedder.model = { ...rig.embedder.model, pricePerMillionTokens: 500 };
    const { plan: said } = await planned(rig);
    const speed = summary.tokens / summary.duration_ms;
    expect(said.estimated_seconds).toBe(Math.ceil(4 / speed));
    expect(said.estimated_cost).toBeCloseTo(2);
  });

  it("refuses other weights under the same name by the collection's marker alone", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    const other = new Rig();
    other.name = "another";
    other.sink.collection = rig.sink.collection;
    other.embedder.weights = "other";
    const { plan: said, exitCode } = await planned(other);
    expect([exitCode, said.sinks[0]?.code]).toEqual([4, "refused.probe"]);
  });
});
