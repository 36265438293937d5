import { expect, it } from "vitest";
import { adopt } from "../../../src/engine/index.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "../engine/rig/rig.ts";

/** A collection whose records nobody knows: state, cache and marker are gone. */
async function orphaned(): Promise<Rig> {
  const rig = new Rig();
  rig.source.put("a", "one\ntwo");
  expect((await rig.run()).exitCode).toBe(0);
  rig.state = memoryStateStore();
  rig.sink.marker = undefined;
  return rig;
}

it("adopts records that nobody knows, whose dimension fits, and then embeds nothing", async () => {
  const rig = await orphaned();
  expect((await rig.run()).summary.error?.code).toBe("refused.records");
  const { records } = await adopt(rig.pipeline, { sink: "main" });
  expect(records).toBe(2);
  expect(rig.sink.marker?.dimension).toBe(rig.embedder.model.dimensions.native);
  rig.forgetCounts();
  expect((await rig.run()).exitCode).toBe(0);
  expect(rig.sink.operations).toEqual([]);
});

it("adopts no records of a dimension that the model cannot give, and marks nothing", async () => {
  const rig = await orphaned();
  const { native } = rig.embedder.model.dimensions;
  const dimensions = { native: native / 2, min: native / 2, matryoshka: false };
  rig.embedder.model = { ...rig.embedder.model, id: "smaller", dimensions };
  await expect(adopt(rig.pipeline, { sink: "main" })).rejects.toMatchObject({
    code: "refused.dimension",
    message: expect.stringContaining("Nothing was written."),
  });
  expect(rig.sink.marker).toBeUndefined();
  // The state has not learnt of the collection either.
  expect(await rig.reading((session) => session.targets())).toEqual([]);
});

it("adopts no records where the file names another dimension than theirs", async () => {
  const rig = await orphaned();
  rig.sink.dimension = rig.embedder.model.dimensions.native / 2;
  await expect(adopt(rig.pipeline, { sink: "main" })).rejects.toMatchObject({
    code: "refused.dimension",
  });
  expect(rig.sink.marker).toBeUndefined();
});
