import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../connectors/sinks/memory/index.ts";
import { adopt } from "../../../src/engine/adopt.ts";
import { Fault } from "../../../src/faults/index.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { StateFile } from "./rig/state-file.ts";

/** Two documents, indexed, with the state in a real file. */
async function indexed(): Promise<{ readonly rig: Rig; readonly file: StateFile }> {
  const rig = new Rig();
  const file = new StateFile(rig);
  rig.source.put("a", "one\ntwo");
  rig.source.put("b", "three");
  expect((await rig.run()).exitCode).toBe(0);
  return { rig, file };
}

async function expectRefusal(rig: Rig, why: RegExp): Promise<void> {
  const before = JSON.stringify(rig.sink.records);
  rig.forgetCounts();
  const { summary, exitCode } = await rig.run();
  expect(exitCode).toBe(4);
  expect(summary.status).toBe("refused");
  expect(summary.error?.code).toBe("refused.state");
  expect(summary.error?.message).toMatch(why);
  expect(summary.error?.message).toMatch(/sluice adopt --sink main/);
  expect(rig.sink.operations).toEqual([]);
  expect(rig.sink.markers).toBe(0);
  expect(JSON.stringify(rig.sink.records)).toBe(before);
}

describe("two runs at once", () => {
  it("are one run and one refusal with exit code 4", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    let second: ReturnType<Rig["run"]> | undefined;
    rig.source.beforeOpen = async () => {
      second ??= rig.run();
      const { summary, exitCode } = await second;
      expect(exitCode).toBe(4);
      expect(summary.error?.code).toBe("state.locked");
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(second).toBeDefined();
    expect(rig.sink.texts()).toEqual(["one"]);
  });

  it("of which one lost its lease: it ends, says so, and leaves the rest to the other", async () => {
    const rig = new Rig();
    const state = memoryStateStore();
    rig.state = state;
    for (let number = 0; number < 30; number += 1) rig.source.put(`d${number}`, `text ${number}`);
    rig.set({ limits: { documents: 2 } });
    let writes = 0;
    rig.sink.limits = { operationsPerWrite: 1 };
    rig.sink.beforeWrite = async () => {
      writes += 1;
      if (writes === 5) state.crash();
    };
    const { summary, exitCode } = await rig.run();
    expect(summary.error?.code).toBe("state.lost");
    expect(exitCode).toBe(5);
    expect(rig.sink.records.length).toBeLessThan(10);
    rig.sink.beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

describe("the state and the collection", () => {
  it("go on together, run after run, with the sequence growing only when something is written", async () => {
    const { rig } = await indexed();
    const sequence = (): number | undefined => rig.sink.marker?.pipelines["rig"]?.runSeq;
    expect(sequence()).toBe(1);
    await rig.run();
    expect(sequence()).toBe(1);
    rig.source.put("a", "edited");
    expect((await rig.run()).exitCode).toBe(0);
    expect(sequence()).toBe(2);
    rig.source.remove("a");
    expect((await rig.run()).exitCode).toBe(0);
    expect(sequence()).toBe(3);
  });

  it("are refused when the state was restored from a copy", async () => {
    const { rig, file } = await indexed();
    const restore = await file.copy();
    rig.source.put("a", "edited");
    await rig.run();
    await restore();
    await expectRefusal(rig, /only remembers run 1/);
  });

  it("are fine when nothing was written since the copy", async () => {
    const { rig, file } = await indexed();
    const restore = await file.copy();
    await rig.run();
    await restore();
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("are refused when the collection was restored from a copy", async () => {
    const { rig } = await indexed();
    const live = memoryStore.get(rig.sink.collection);
    const records = structuredClone([...(live?.records ?? [])]);
    const marker = structuredClone(rig.sink.marker);
    rig.source.put("a", "edited");
    await rig.run();
    live?.records.clear();
    for (const [id, record] of records) live?.records.set(id, record);
    rig.sink.marker = marker;
    await expectRefusal(rig, /remembers run 2/);
  });

  it("are refused when the state was lost", async () => {
    const { rig, file } = await indexed();
    await file.lose();
    await expectRefusal(rig, /another state/);
  });

  it("are refused when the marker no longer names the pipeline", async () => {
    const { rig } = await indexed();
    const { marker } = rig.sink;
    if (marker !== undefined) rig.sink.marker = { ...marker, pipelines: {} };
    await expectRefusal(rig, /does not name this pipeline/);
  });

  it("are refused when records of this pipeline lie in a marked collection that the state never saw", async () => {
    const { rig, file } = await indexed();
    const { marker } = rig.sink;
    if (marker !== undefined) rig.sink.marker = { ...marker, pipelines: {} };
    await file.lose();
    await expectRefusal(rig, /3 records of this pipeline/);
  });

  it("are refused when records lie in a collection without a marker", async () => {
    const { rig } = await indexed();
    rig.sink.marker = undefined;
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.records"]);
  });

  it("find each other again after a marker that was tried but never acknowledged", async () => {
    const { rig } = await indexed();
    rig.source.put("a", "edited");
    let fails = 0;
    rig.sink.before = async (call) => {
      if (call !== "setMarker") return;
      fails += 1;
      throw new Fault("sink.timeout", "No answer.", {
        ambiguous: true,
      });
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(fails).toBeGreaterThan(0);
    rig.sink.before = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

describe("adopt", () => {
  it("rebuilds a lost state; the next run reads, embeds nothing and writes nothing", async () => {
    const { rig, file } = await indexed();
    await file.lose();
    rig.cache = undefined;
    rig.forgetCounts();
    expect(await adopt(rig.pipeline, { sink: "main" })).toEqual({
      documents: 2,
      records: 3,
      incomplete: 0,
    });
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toEqual([]);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 2, unchanged: 2 });
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toEqual([]);
    rig.forgetCounts();
    await rig.run();
    expect(rig.source.opens).toEqual([]);
  });

  it("makes a restored state right again, and leaves the next run what changed since", async () => {
    const { rig, file } = await indexed();
    const restore = await file.copy();
    rig.source.put("a", "edited");
    rig.source.put("c", "four");
    await rig.run();
    await restore();
    rig.source.remove("b");
    await adopt(rig.pipeline, { sink: "main" });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 2, unchanged: 2, deleted: 1 });
    expect(await rig.difference()).toEqual([]);
  });

  it("takes documents with records of two versions, or too few, for incomplete; they are written again", async () => {
    const { rig, file } = await indexed();
    rig.source.put("c", "four\nfive\nsix");
    rig.source.put("d", "seven\neight");
    await rig.run();
    const live = memoryStore.get(rig.sink.collection);
    for (const [id, record] of live?.records ?? []) {
      // One lost a record, one has a record of an older version, one has a record too many.
      if (record.text === "five") live?.records.delete(id);
      if (record.text === "one")
        live?.records.set(id, { ...record, fingerprint: `${"0".repeat(32)}-2` });
      if (record.text === "three") {
        const orphan = `${id.slice(0, -4)}abcd`;
        live?.records.set(orphan, { ...record, id: orphan });
      }
    }
    await file.lose();
    const result = await adopt(rig.pipeline, { sink: "main" });
    expect(result).toEqual({ documents: 4, records: 8, incomplete: 3 });
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ updated: 3, unchanged: 1 });
    expect(rig.embedder.texts).toEqual([]);
    expect(await rig.difference()).toEqual([]);
  });

  it("takes only this pipeline's records, and leaves the other's mark", async () => {
    const { rig, file } = await indexed();
    const other = new Rig();
    other.name = "other";
    other.sink.collection = rig.sink.collection;
    other.source.put("x", "theirs");
    await other.run();
    await file.lose();
    expect(await adopt(rig.pipeline, { sink: "main" })).toMatchObject({ documents: 2, records: 3 });
    expect(Object.keys(rig.sink.marker?.pipelines ?? {}).toSorted()).toEqual(["other", "rig"]);
    expect((await other.run()).summary.documents.unchanged).toBe(1);
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("refuses a model that answers differently from the collection's", async () => {
    const { rig, file } = await indexed();
    await file.lose();
    rig.embedder.weights = "other";
    await expect(adopt(rig.pipeline, { sink: "main" })).rejects.toMatchObject({
      code: "refused.probe",
    });
  });

  it("of a collection that does not exist says so", async () => {
    const rig = new Rig();
    await expect(adopt(rig.pipeline, { sink: "main" })).rejects.toMatchObject({
      code: "sink.missing",
    });
  });
});

describe("the history of runs", () => {
  it("tells of every run, newest first, how it ended", async () => {
    const { rig } = await indexed();
    rig.source.put("bad", "!malformed");
    await rig.run();
    rig.source.remove("bad");
    await rig.run({ stop: AbortSignal.abort() });
    rig.embedder.weights = "other";
    await rig.run();
    const runs = await rig.reading((session) => session.runs(10));
    expect(runs.map(({ status }) => status)).toEqual([
      "refused",
      "interrupted",
      "partial",
      "succeeded",
    ]);
    for (const run of runs) {
      expect(run.endedAt).toBeGreaterThanOrEqual(run.startedAt);
      expect(run.summary).toMatchObject({ pipeline: "rig", run: run.id, status: run.status });
    }
  });

  it("tells of a run whose process died that it never ended", async () => {
    const rig = new Rig();
    const state = memoryStateStore();
    rig.state = state;
    rig.source.put("a", "one");
    rig.source.beforeOpen = async () => state.crash();
    await rig.run();
    const runs = await rig.reading((session) => session.runs(10));
    expect(runs).toMatchObject([{ status: "running", endedAt: undefined }]);
  });
});
