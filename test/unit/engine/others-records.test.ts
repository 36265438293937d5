import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../connectors/sinks/memory/index.ts";
import { forget } from "../../../src/engine/forget.ts";
import { query } from "../../../src/engine/query.ts";
import { verify } from "../../../src/engine/verify.ts";
import { Rig } from "./rig/rig.ts";
import type { RigSink } from "./rig/sink.ts";

/** Two pipelines with equal documents in one collection. */
async function sharing(): Promise<{ readonly ours: Rig; readonly theirs: Rig }> {
  const ours = new Rig();
  const theirs = new Rig();
  ours.name = "ours";
  theirs.name = "theirs";
  theirs.sink.collection = ours.sink.collection;
  for (const rig of [ours, theirs]) {
    for (let number = 0; number < 12; number += 1) rig.source.put(`d${number}`, `text ${number}`);
    expect((await rig.run()).exitCode).toBe(0);
  }
  expect(ours.sink.records).toHaveLength(24);
  return { ours, theirs };
}

function recordsOf(sink: RigSink, pipeline: string): string {
  return JSON.stringify(sink.records.filter((record) => record.pipeline === pipeline));
}

describe("two pipelines in one collection", () => {
  it("get different ids for the same text of the same document", async () => {
    const { ours } = await sharing();
    const heads = new Map<string, Set<string>>();
    for (const { pipeline, id } of ours.sink.records) {
      heads.set(pipeline, (heads.get(pipeline) ?? new Set()).add(id.slice(0, 8)));
    }
    expect([...heads.values()].map(({ size }) => size)).toEqual([1, 1]);
    expect(new Set([...heads.values()].flatMap((set) => [...set])).size).toBe(2);
  });

  it("keep the other's records when one sweeps", async () => {
    const { ours } = await sharing();
    const before = recordsOf(ours.sink, "theirs");
    for (let number = 0; number < 12; number += 1) ours.source.remove(`d${number}`);
    const { summary } = await ours.run({ allowDeletions: Infinity });
    expect(summary.documents.deleted).toBe(12);
    expect(recordsOf(ours.sink, "ours")).toBe("[]");
    expect(recordsOf(ours.sink, "theirs")).toBe(before);
  });

  it("keep the other's records when one forgets its sink with its records", async () => {
    const { ours, theirs } = await sharing();
    const before = recordsOf(ours.sink, "theirs");
    const result = await forget(ours.pipeline, { sink: "main", deleteRecords: true });
    expect(result).toEqual({ documents: 12, records_deleted: 12 });
    expect(recordsOf(ours.sink, "ours")).toBe("[]");
    expect(recordsOf(ours.sink, "theirs")).toBe(before);
    expect(Object.keys(ours.sink.marker?.pipelines ?? {})).toEqual(["theirs"]);
    theirs.forgetCounts();
    expect((await theirs.run()).summary.documents.unchanged).toBe(12);
    expect((await ours.run()).exitCode).toBe(0);
    expect(ours.sink.records.filter(({ pipeline }) => pipeline === "ours")).toHaveLength(12);
  });

  it("keep the other's records when one forgets a source with its records", async () => {
    const { ours } = await sharing();
    const before = recordsOf(ours.sink, "theirs");
    await forget(ours.pipeline, { source: "docs", deleteRecords: true });
    expect(recordsOf(ours.sink, "ours")).toBe("[]");
    expect(recordsOf(ours.sink, "theirs")).toBe(before);
  });

  it("keep the other's records when one verifies and repairs", async () => {
    const { ours, theirs } = await sharing();
    const live = memoryStore.get(ours.sink.collection);
    const own = [...(live?.records.values() ?? [])].filter(({ pipeline }) => pipeline === "ours");
    // Ours are damaged in every way; theirs are damaged too, and are none of our business.
    const [missing, stale, long, foreign] = own;
    if (missing !== undefined) live?.records.delete(missing.id);
    if (stale !== undefined) live?.records.set(stale.id, { ...stale, fingerprint: "other" });
    if (long !== undefined) {
      live?.records.set(long.id, { ...long, vector: long.vector.map((value) => value * 2) });
    }
    if (foreign !== undefined) {
      const id = `${foreign.id.slice(0, -4)}0000`;
      live?.records.set(id, { ...foreign, id });
    }
    const before = recordsOf(ours.sink, "theirs");
    const seen = await verify(ours.pipeline);
    expect(seen.sinks["main"]).toMatchObject({ missing: 1, stale: 2, orphaned: 1, repaired: 0 });
    expect(seen.exitCode).toBe(3);
    ours.forgetCounts();
    const mended = await verify(ours.pipeline, { repair: true });
    expect(mended.exitCode).toBe(0);
    expect(mended.sinks["main"]).toMatchObject({ missing: 0, stale: 0, orphaned: 0, repaired: 4 });
    expect(recordsOf(ours.sink, "theirs")).toBe(before);
    expect((await verify(theirs.pipeline)).exitCode).toBe(0);
    expect(ours.embedder.texts).toEqual([]);
  });

  it("answer each query with their own records only", async () => {
    const { ours } = await sharing();
    const { hits } = await query(ours.pipeline, { text: "text 3", k: 24 });
    expect(hits).toHaveLength(12);
    expect(hits[0]?.text).toBe("text 3");
    const own = new Set(
      ours.sink.records.filter(({ pipeline }) => pipeline === "ours").map(({ id }) => id),
    );
    expect(hits.every(({ id }) => own.has(id))).toBe(true);
  });

  it("both write while the other runs, and neither loses its mark", async () => {
    const { ours, theirs } = await sharing();
    ours.source.put("new", "new");
    theirs.source.put("new", "new");
    // Ours has read the marker and has not written yet when theirs begins and ends.
    let between: Promise<unknown> | undefined;
    ours.source.beforeOpen = async () => {
      between ??= theirs.run();
      await between;
    };
    expect((await ours.run()).exitCode).toBe(0);
    expect(await between).toMatchObject({ exitCode: 0 });
    for (const rig of [ours, theirs]) {
      rig.source.put("newer", "newer");
      const { exitCode, summary } = await rig.run();
      expect(summary.error).toBeUndefined();
      expect(exitCode).toBe(0);
    }
  });
});

describe("forgetting a sink with its records", () => {
  it("that is broken off half-way never leaves a state that believes in the records", async () => {
    const { ours } = await sharing();
    const controller = new AbortController();
    ours.sink.limits = { operationsPerWrite: 4 };
    let writes = 0;
    ours.sink.beforeWrite = async () => {
      writes += 1;
      if (writes === 2) controller.abort();
      controller.signal.throwIfAborted();
    };
    const options = { sink: "main", deleteRecords: true, signal: controller.signal };
    await expect(forget(ours.pipeline, options)).rejects.toThrow();
    ours.sink.beforeWrite = async () => {};
    const { exitCode } = await ours.run();
    // Either it refuses, or it has brought everything back.
    if (exitCode === 0) expect(ours.sink.texts()).toHaveLength(24);
    else {
      expect(exitCode).toBe(4);
      await forget(ours.pipeline, { sink: "main", deleteRecords: true });
      expect((await ours.run()).exitCode).toBe(0);
    }
    expect(ours.sink.records.filter(({ pipeline }) => pipeline === "ours")).toHaveLength(12);
  });
});

async function replaced(): Promise<Rig> {
  const rig = new Rig();
  for (let number = 0; number < 12; number += 1) rig.source.put(`d${number}`, `text ${number}`);
  await rig.run();
  rig.sink.collection = `${rig.sink.collection}-new`;
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

describe("a sink whose collection was replaced by another one", () => {
  it("forgets the earlier one first, so that its documents no longer linger, and keeps the present one", async () => {
    const rig = await replaced();
    const result = await forget(rig.pipeline, { sink: "main" });
    expect(result).toEqual({ documents: 12, records_deleted: 0, kept: rig.sink.address });
    rig.source.remove("d0");
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ deleted: 1, unchanged: 11 });
    expect(rig.embedder.texts).toEqual([]);
    expect(await rig.row("d0")).toBeUndefined();
  });

  it("forgets the present one when it is the only one left", async () => {
    const rig = await replaced();
    await forget(rig.pipeline, { sink: "main" });
    expect(await forget(rig.pipeline, { sink: "main" })).toEqual({
      documents: 12,
      records_deleted: 0,
    });
    expect((await rig.run()).summary.error?.code).toBe("refused.state");
  });

  it("forgets them all when the records are to go, and deletes those of the present one", async () => {
    const rig = await replaced();
    const result = await forget(rig.pipeline, { sink: "main", deleteRecords: true });
    expect(result).toEqual({ documents: 24, records_deleted: 12 });
    expect(rig.sink.records).toEqual([]);
  });
});
