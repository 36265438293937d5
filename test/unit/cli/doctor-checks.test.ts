import { describe, expect, it } from "vitest";
import { checkPipeline } from "../../../src/cli/doctor-checks.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "../engine/rig/rig.ts";

async function indexed(): Promise<Rig> {
  const rig = new Rig({ sinks: ["main", "other"] });
  rig.file = import.meta.filename;
  rig.source.put("a", "one");
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

/** What fails, by component. */
async function faults(rig: Rig): Promise<Record<string, string>> {
  const checks = await checkPipeline(rig.pipeline, new AbortController().signal);
  expect(checks.map(({ component }) => component)).toEqual([
    "state",
    "cache",
    "sources.docs",
    "embedder",
    "sinks.main",
    "sinks.other",
  ]);
  return Object.fromEntries(
    checks.flatMap(({ component, fault }) =>
      fault === undefined ? [] : [[component, fault.code]],
    ),
  );
}

describe("the doctor", () => {
  it("finds nothing wrong before the first run, and after it", async () => {
    expect(await faults(new Rig({ sinks: ["main", "other"] }))).toEqual({});
    expect(await faults(await indexed())).toEqual({});
  });

  it.each<[string, (rig: Rig) => void, Record<string, string>]>([
    [
      "a model that was swapped behind its name, where cached vectors are of the old one",
      (rig) => (rig.embedder.weights = "other"),
      { embedder: "refused.probe", "sinks.main": "refused.probe", "sinks.other": "refused.probe" },
    ],
    [
      "a model that was swapped behind its name, where only collections remember",
      (rig) => {
        rig.embedder.weights = "other";
        rig.cache = new Rig().cache;
      },
      { "sinks.main": "refused.probe", "sinks.other": "refused.probe" },
    ],
    [
      "a dimension that does not fit",
      (rig) => (rig.sinkOf("other").dimension = 4),
      { "sinks.other": "refused.dimension" },
    ],
    [
      "two sinks on one collection",
      (rig) => (rig.sinkOf("other").collection = rig.sink.collection),
      { "sinks.other": "refused.shared" },
    ],
    [
      "a lost state",
      (rig) => (rig.state = new Rig().state),
      { "sinks.main": "refused.state", "sinks.other": "refused.state" },
    ],
    [
      "the state of another file",
      (rig) => (rig.file = new URL("../engine/plan.test.ts", import.meta.url).pathname),
      { state: "refused.pipeline" },
    ],
    [
      "a sink that does not answer, and says nothing of the others",
      (rig) => {
        rig.sink.before = () => Promise.reject(new Fault("sink.unreachable", "It is down."));
      },
      { "sinks.main": "sink.unreachable" },
    ],
    [
      "an embedder that does not answer, and leaves the sinks be",
      (rig) => {
        rig.embedder.check = () => Promise.reject(new Fault("embed.unreachable", "It is down."));
      },
      { embedder: "embed.unreachable" },
    ],
  ])("finds %s", async (_, change, found) => {
    const rig = await indexed();
    change(rig);
    expect(await faults(rig)).toEqual(found);
  });

  it("gives up what hangs, each by itself, and waits longer for a model", async () => {
    const rig = await indexed();
    // Neither heeds the signal.
    rig.source.check = () => Promise.withResolvers<void>().promise;
    rig.embedder.check = () => Promise.withResolvers<void>().promise;
    const patience = { usualMs: 100, embedderMs: 300 };
    const checks = await checkPipeline(rig.pipeline, new AbortController().signal, patience);
    const hanging = checks.filter(({ fault }) => fault !== undefined);
    expect(hanging.map(({ component, fault }) => [component, fault?.code])).toEqual([
      ["sources.docs", "source.unreachable"],
      ["embedder", "embed.timeout"],
    ]);
    expect(hanging[1]?.fault?.message).toContain("within 0.3 s");
    expect(hanging[0]?.durationMs).toBeLessThan(hanging[1]?.durationMs ?? 0);
  });
});
