import { describe, expect, it } from "vitest";
import { type RunSummary, plan } from "../../../src/engine/index.ts";
import { Rig } from "./rig/rig.ts";

/** A rig whose model reads so many tokens, and whose chunker makes so many. */
function rigOf(contextTokens: number, maxTokens: number, more: object = {}): Rig {
  const rig = new Rig({});
  rig.embedder.model = { ...rig.embedder.model, contextTokens, ...more };
  for (const settings of rig.sources.values()) settings.maxTokens = maxTokens;
  rig.source.put("a", "some words");
  return rig;
}

async function errorOf(rig: Rig): Promise<RunSummary["error"]> {
  return (await rig.run()).summary.error;
}

describe("a chunker whose chunks the model cannot read", () => {
  it("is refused by the special tokens that the model adds, and not without them", async () => {
    expect(await errorOf(rigOf(100, 100))).toBeUndefined();
    const error = await errorOf(rigOf(100, 100, { specialTokens: 2 }));
    expect(error).toMatchObject({ code: "config.invalid" });
    expect(error?.message).toMatch(/reads 100, among them 2 .*at most 98,/s);
    expect(await errorOf(rigOf(100, 98, { specialTokens: 2 }))).toBeUndefined();
  });

  it("is refused by the tokens of the document instruction on both sides, and not by a query's", async () => {
    const prompts = { document: "two words{text}and three more", query: "q ".repeat(99) };
    const error = await errorOf(rigOf(100, 96, { prompts, specialTokens: 1 }));
    expect(error?.message).toMatch(/1 for .* and 5 for the document instruction.*at most 94,/s);
    expect(await errorOf(rigOf(100, 94, { prompts, specialTokens: 1 }))).toBeUndefined();
  });

  it("is told that no text has room where the instruction fills the model", async () => {
    const prompts = { document: `${"word ".repeat(120)}{text}`, query: "" };
    expect((await errorOf(rigOf(100, 10, { prompts })))?.message).toMatch(/No text has room/);
  });

  it("is refused by a plan as by a run", async () => {
    const { pipeline } = rigOf(100, 100, { specialTokens: 1 });
    await expect(plan(pipeline)).rejects.toMatchObject({ code: "config.invalid" });
  });
});
