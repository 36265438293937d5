import { describe, expect, it } from "vitest";
import { checkPipeline } from "../../../src/cli/doctor-checks.ts";
import type { ComponentNote } from "../../../src/contracts/index.ts";
import { Rig } from "./rig/rig.ts";

const notes: readonly ComponentNote[] = [
  { level: "info", message: "Runs on cpu." },
  { level: "warning", message: "Its version is known to be wrong. Update it." },
];

function noted(): Rig {
  const rig = new Rig();
  rig.source.put("a", "one");
  rig.embedder.said = notes;
  return rig;
}

describe("what a component has to say", () => {
  it("is told once by every run, and stops nothing", async () => {
    const rig = noted();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.events.filter(({ kind }) => kind === "component-noted")).toEqual(
      notes.map((note) => ({ kind: "component-noted", component: "embedder", note })),
    );
  });

  it("stands beside its check in the doctor, which finds nothing wrong", async () => {
    const rig = noted();
    const checks = await checkPipeline(rig.pipeline, new AbortController().signal);
    const saying = checks.filter((check) => check.notes.length > 0);
    expect(saying).toMatchObject([{ component: "embedder", notes, exitCode: 0 }]);
  });
});

describe("a call that is not full", () => {
  it("waits for company as long as the embedder says", async () => {
    const rig = new Rig();
    rig.embedder.limits = { ...rig.embedder.limits, maxWaitMs: 700 };
    rig.source.put("a", "one");
    const started = rig.clock.monotonic();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.clock.monotonic() - started).toBeGreaterThanOrEqual(700);
    expect(rig.embedder.calls.length).toBeGreaterThan(0);
  });
});
