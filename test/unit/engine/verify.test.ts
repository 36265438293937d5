import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../connectors/sinks/memory/store.ts";
import { verify } from "../../../src/engine/verify.ts";
import { fit } from "../../../src/dimensions/index.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { vectorOf } from "./rig/stages.ts";

async function indexed(documents = 6): Promise<Rig> {
  const rig = new Rig();
  for (let number = 0; number < documents; number += 1) rig.source.put(`d${number}`, `t${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  rig.forgetCounts();
  return rig;
}

/** Replaces a record behind everybody's back. */
function tamper(rig: Rig, text: string, change: { vector?: Float32Array; fingerprint?: string }) {
  const record = rig.sink.records.find((candidate) => candidate.text === text);
  if (record === undefined) throw new RangeError(`There is no record of ${text}.`);
  memoryStore.get(rig.sink.collection)?.records.set(record.id, { ...record, ...change });
}

function orphan(rig: Rig): void {
  const [record] = rig.sink.records;
  if (record === undefined) throw new RangeError("There are no records.");
  const id = "00000000-0000-8000-8000-000000000000";
  memoryStore.get(rig.sink.collection)?.records.set(id, { ...record, id });
}

describe("a repair", () => {
  it("asks the model for a damaged vector instead of reading it back", async () => {
    const rig = await indexed();
    await rig.cache?.clear();
    tamper(rig, "t1", { vector: Float32Array.from([5.5, 0.1, 0, 0, 0, 0, 0, 0]) });
    const mended = await verify(rig.pipeline, { repair: true });
    expect(mended.sinks["main"]).toMatchObject({ missing: 0, stale: 0, orphaned: 0, repaired: 1 });
    const stored = rig.sink.records.find(({ text }) => text === "t1")?.vector;
    expect([...(stored ?? [])]).toEqual([...fit(vectorOf("t1"), 8)]);
    expect(rig.embedder.texts).toEqual(["t1"]);
  });

  it("deletes records that the state does not know, after the rest went well", async () => {
    const rig = await indexed();
    orphan(rig);
    tamper(rig, "t1", { fingerprint: "of another version" });
    const mended = await verify(rig.pipeline, { repair: true });
    expect(mended).toMatchObject({ exitCode: 0, sinks: { main: { orphaned: 0, repaired: 2 } } });
    expect(await rig.difference()).toEqual([]);
  });

  it("deletes nothing when the documents cannot be written again, and says why with the reason's code", async () => {
    const rig = await indexed();
    orphan(rig);
    tamper(rig, "t1", { fingerprint: "of another version" });
    rig.embedder.weights = "other";
    await expect(verify(rig.pipeline, { repair: true })).rejects.toMatchObject({
      code: "refused.probe",
    });
    expect(rig.sink.records).toHaveLength(7);
  });
});

describe("a comparison", () => {
  it.each([true, false])("is refused when the state is lost (marker kept: %s)", async (kept) => {
    const rig = await indexed();
    rig.state = memoryStateStore();
    if (!kept) rig.sink.marker = undefined;
    const { signal } = new AbortController();
    const session = await rig.state.open({ pipeline: rig.name, mode: "write" }, signal);
    await session.close();
    for (const repair of [false, true]) {
      await expect(verify(rig.pipeline, { repair })).rejects.toMatchObject({
        code: "refused.state",
      });
    }
    expect(rig.sink.records).toHaveLength(6);
  });

  it("is refused when the collection lost its marker, as a run is", async () => {
    const rig = await indexed();
    rig.sink.marker = undefined;
    await expect(verify(rig.pipeline, { repair: true })).rejects.toMatchObject({
      code: "refused.state",
      message: expect.stringMatching(/6 records of this pipeline that the state does not know/),
    });
    expect(rig.sink.records).toHaveLength(6);
  });
});
