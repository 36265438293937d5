import { describe, expect, it } from "vitest";
import type { SourceEvent } from "../../../src/contracts/index.ts";
import type { RunResult } from "../../../src/engine/run.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

/** Lists everything again after each change, as the source `files` does; then the run is stopped. */
function watch(rig: Rig, changes: readonly (() => void)[]): Promise<RunResult> {
  const stop = new AbortController();
  rig.source.follow = async function* (): AsyncGenerator<SourceEvent> {
    for (const change of changes) {
      await rig.clock.sleep(1000, stop.signal);
      change();
      yield { kind: "listing", resumed: false };
      for (const id of rig.source.documents.keys()) yield rig.source.event(id);
      yield { kind: "end", listing: "complete" };
    }
    await rig.clock.sleep(1000, stop.signal);
    stop.abort();
  };
  return rig.run({ follow: true, stop: stop.signal });
}

function filled(): Rig {
  const rig = new Rig();
  for (let number = 0; number < 30; number += 1) rig.source.put(`d${number}`, `text ${number}`);
  return rig;
}

const nothing = (): void => undefined;

describe("a document, while the run watches,", () => {
  it("is counted once, however often it is listed", async () => {
    const rig = filled();
    const first = await watch(rig, [nothing, nothing, nothing]);
    expect(first.exitCode).toBe(0);
    expect(rig.events.filter(({ kind }) => kind === "documents-unchanged")).toEqual([]);
    expect(first.summary.documents).toMatchObject({ listed: 30, added: 30, unchanged: 0 });
    const next = await watch(rig, [nothing, nothing]);
    expect(next.summary.documents).toMatchObject({ listed: 30, added: 0, unchanged: 30 });
    const unchanged = rig.events.filter(({ kind }) => kind === "documents-unchanged");
    expect(unchanged).toEqual([{ kind: "documents-unchanged", source: "docs", count: 30 }]);
  });

  it("counts by what became of it in the end", async () => {
    const rig = filled();
    await rig.run();
    rig.source.put("new", "new");
    const { summary } = await watch(rig, [
      () => rig.source.put("d1", "edited"),
      () => rig.source.put("new", "edited too"),
      () => rig.source.put("d1", "edited again"),
      () => rig.source.put("newer", "newer"),
    ]);
    expect(summary.documents).toMatchObject({ listed: 32, added: 2, updated: 1, unchanged: 29 });
    expect(await rig.difference()).toEqual([]);
  });

  it("no longer counts as failed once it is mended", async () => {
    const rig = filled();
    const { summary, exitCode } = await watch(rig, [
      () => rig.source.put("d1", "!malformed"),
      nothing,
      () => rig.source.put("d1", "mended"),
    ]);
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 30, failed: 0 });
    expect(summary.failures).toEqual([]);
  });

  it("no longer counts as failed once it is gone", async () => {
    const rig = filled();
    const { summary, exitCode } = await watch(rig, [
      () => rig.source.put("bad", "!malformed"),
      nothing,
      () => rig.source.remove("bad"),
    ]);
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 30, added: 30, failed: 0 });
    expect(summary.failures).toEqual([]);
  });

  it("counts once as failed while it stays broken, and is told once", async () => {
    const rig = filled();
    rig.source.put("bad", "!malformed");
    const { summary, exitCode } = await watch(rig, [nothing, nothing, nothing]);
    expect(exitCode).toBe(3);
    expect(summary.documents).toMatchObject({ listed: 31, added: 30, failed: 1 });
    expect(summary.failures).toHaveLength(1);
    expect(rig.events.filter(({ kind }) => kind === "document-failed")).toHaveLength(1);
  });

  it("is not told again to have failed when the source says something older of it", async () => {
    const rig = filled();
    rig.source.put("bad", "!malformed", { order: 10n });
    const older = (): void => rig.source.describe("bad", { text: "old", order: 9n });
    const { summary } = await watch(rig, [older, nothing]);
    expect(summary.documents).toMatchObject({ listed: 31, added: 30, failed: 1 });
    expect(rig.events.filter(({ kind }) => kind === "document-failed")).toHaveLength(1);
  });

  it("is told when it fails in passing, once, before the run is stopped, and tried again", async () => {
    const rig = filled();
    let locked = true;
    let told = 0;
    rig.source.beforeOpen = async (id) => {
      if (id === "d1" && locked) throw new Fault("source.unreadable", "Not now.");
    };
    const count = (): void => {
      told = rig.events.filter(({ kind }) => kind === "document-failed").length;
    };
    const { summary, exitCode } = await watch(rig, [nothing, count, () => (locked = false)]);
    expect(told).toBe(1);
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 30, added: 30, failed: 0 });
    expect(rig.sink.records).toHaveLength(30);
  });

  it("does not stop the run with mended failures of long ago", async () => {
    const rig = filled();
    rig.set({ failures: { maxDocuments: 3 } });
    const changes = Array.from({ length: 8 }, (_, number) => [
      () => rig.source.put(`d${number}`, "!malformed"),
      () => rig.source.put(`d${number}`, "mended"),
      () => rig.source.put(`new${number}`, "!malformed"),
      () => rig.source.remove(`new${number}`),
    ]).flat();
    const { summary, exitCode } = await watch(rig, changes);
    expect([exitCode, summary.documents.failed]).toEqual([0, 0]);
  });

  it("that could not be deleted counts once", async () => {
    const rig = filled();
    rig.sink.refuses = ({ kind }) =>
      kind === "delete" ? new Fault("sink.rejected", "No.") : undefined;
    const { summary, exitCode } = await watch(rig, [
      () => rig.source.remove("d1"),
      nothing,
      nothing,
    ]);
    expect(exitCode).toBe(3);
    expect(summary.documents).toMatchObject({ listed: 30, added: 29, failed: 1, deleted: 0 });
  });

  it("is no longer listed once it is gone, and counts again when it comes back", async () => {
    const rig = filled();
    await rig.run();
    const gone = await watch(rig, [() => rig.source.remove("d1")]);
    expect(gone.summary.documents).toMatchObject({ listed: 29, unchanged: 29, deleted: 1 });
    const back = await watch(rig, [
      () => rig.source.put("d1", "again"),
      () => rig.source.remove("d1"),
      () => rig.source.put("d1", "and again"),
    ]);
    expect(back.summary.documents).toMatchObject({
      listed: 30,
      added: 1,
      unchanged: 29,
      deleted: 1,
    });
    expect(await rig.difference()).toEqual([]);
  });
});

describe("a source that goes away while it is watched", () => {
  it("is waited for anew after it came back, not for ever longer", async () => {
    const rig = filled();
    const stop = new AbortController();
    let reads = 0;
    rig.source.follow = async function* () {
      reads += 1;
      if (reads === 30) stop.abort();
      await rig.clock.sleep(1000, stop.signal);
      yield* [];
      throw new Fault("source.unreachable", "Away.");
    };
    rig.set({ retry: { baseMs: 10, maxMs: 100_000 } });
    await rig.run({ follow: true, stop: stop.signal, random: () => 1 });
    const delays = rig.events.flatMap((event) =>
      event.kind === "retrying" ? [event.delayMs] : [],
    );
    expect(delays.length).toBeGreaterThan(25);
    expect(Math.max(...delays)).toBe(10);
  });

  it.each([0, 1])("is waited for longer and longer while it does not (%i listings)", async (ok) => {
    const rig = filled();
    const stop = new AbortController();
    let reads = -ok;
    rig.source.follow = () => {
      throw new Fault("source.unreachable", "Away.");
    };
    rig.source.say = (events) => {
      reads += 1;
      if (reads <= 0) return events;
      if (reads === 8) stop.abort();
      throw new Fault("source.unreachable", "Away.");
    };
    rig.set({ retry: { baseMs: 10, maxMs: 300 } });
    await rig.run({ follow: true, stop: stop.signal, random: () => 1 });
    const delays = rig.events.flatMap((event) =>
      event.kind === "retrying" ? [event.delayMs] : [],
    );
    expect(delays.slice(0, 6)).toEqual([10, 20, 40, 80, 160, 300]);
  });
});
