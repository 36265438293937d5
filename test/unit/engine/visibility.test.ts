import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../connectors/sinks/memory/store.ts";
import { verify } from "../../../src/engine/verify.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

const soon = async (): Promise<void> => {};
const tooLate = async (): Promise<void> => {
  throw new Fault("sink.not-ready", "Not yet.");
};

/** A rig whose sink gives a token for each write, of one record. */
function makeRig(documents: number, waitVisible: () => Promise<void>): Rig {
  const rig = new Rig();
  rig.sink.limits = { operationsPerWrite: 1, concurrentWrites: 1 };
  rig.sink.waitVisible = waitVisible;
  for (let number = 0; number < documents; number += 1) rig.source.put(`d${number}`, `t${number}`);
  return rig;
}

describe("the end of a run", () => {
  it("waits for the last token alone, and only once", async () => {
    const rig = makeRig(5, soon);
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.waits).toEqual([{ number: 5 }]);
    expect((await rig.run()).exitCode).toBe(0);
    await verify(rig.pipeline);
    expect(rig.sink.waits).toHaveLength(1);
  });

  it("leaves what takes too long to the next one that looks", async () => {
    const rig = makeRig(2, tooLate);
    expect((await rig.run()).exitCode).toBe(0);
    rig.sink.waitVisible = soon;
    await verify(rig.pipeline);
    expect((await rig.run()).exitCode).toBe(0);
    await verify(rig.pipeline);
    expect(rig.sink.waits).toEqual(Array.from({ length: 3 }, () => ({ number: 2 })));
  });

  it("is not held up after a request to stop", async () => {
    const rig = makeRig(2, soon);
    const stop = new AbortController();
    rig.sink.beforeWrite = async () => stop.abort();
    await rig.run({ stop: stop.signal });
    expect(rig.sink.waits).toEqual([]);
    expect(rig.sink.writes.length).toBeGreaterThan(0);
    await verify(rig.pipeline).catch(() => undefined);
    expect(rig.sink.waits).toEqual([{ number: rig.sink.writes.length }]);
  });

  it("tells of a sink that is gone", async () => {
    const rig = makeRig(1, async () => {
      throw new Fault("sink.missing", "It is gone.");
    });
    const { summary } = await rig.run();
    expect(summary).toMatchObject({ status: "failed", error: { code: "sink.missing" } });
  });

  it("does not wait for what was written to a collection that was dropped since", async () => {
    const rig = makeRig(1, tooLate);
    expect((await rig.run()).exitCode).toBe(0);
    rig.sink.drop();
    rig.sink.waits.length = 0;
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.waits).toEqual([{ number: 2 }]);
  });
});

describe("a comparison that cannot wait", () => {
  it("still tells that everything is there", async () => {
    const rig = makeRig(3, tooLate);
    await rig.run();
    expect(await verify(rig.pipeline)).toMatchObject({
      exitCode: 0,
      sinks: { main: { expected: 3, present: 3 } },
    });
  });

  it("tells of no finding, and mends nothing", async () => {
    const rig = makeRig(3, tooLate);
    await rig.run();
    const [record] = rig.sink.records;
    memoryStore.get(rig.sink.collection)?.records.delete(record?.id ?? "");
    for (const repair of [false, true]) {
      await expect(verify(rig.pipeline, { repair })).rejects.toMatchObject({
        code: "sink.not-ready",
      });
    }
    expect(rig.sink.writes).toHaveLength(3);
    rig.sink.waitVisible = soon;
    expect(await verify(rig.pipeline)).toMatchObject({ sinks: { main: { missing: 1 } } });
    const mended = await verify(rig.pipeline, { repair: true });
    expect(mended).toMatchObject({ exitCode: 0, sinks: { main: { repaired: 1 } } });
  });
});
