import { describe, expect, it } from "vitest";
import { query } from "../../../src/engine/query.ts";
import { Rig } from "./rig/rig.ts";

async function indexed(dimension: "auto" | number): Promise<Rig> {
  const rig = new Rig();
  rig.sink.dimension = dimension;
  rig.source.put("a", "one\ntwo");
  rig.source.put("b", "three");
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

describe.each([["auto" as const], [4]])("a query of a collection of dimension %s", (dimension) => {
  it("finds the record of its very text first", async () => {
    const rig = await indexed(dimension);
    const { hits } = await query(rig.pipeline, { text: "two", k: 3 });
    expect(hits.map(({ text }) => text)).toHaveLength(3);
    expect(hits[0]).toMatchObject({ document: "docs:a", text: "two" });
  });

  it("is refused, like a run, when the model was swapped behind its name", async () => {
    const rig = await indexed(dimension);
    rig.embedder.weights = "other";
    expect((await rig.run()).summary.error?.code).toBe("refused.probe");
    const asked = query(rig.pipeline, { text: "two", k: 3 });
    await expect(asked).rejects.toMatchObject({ code: "refused.probe" });
  });
});
