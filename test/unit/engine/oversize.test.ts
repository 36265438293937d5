import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

const long = "a text of eight words, too long altogether";

/** A rig whose model reads four words, and whose embedder cuts what is longer. */
function cutting(): { readonly rig: Rig; readonly asked: string[] } {
  const rig = new Rig({ sinks: ["main", "other"] });
  const asked: string[] = [];
  rig.embedder.model = { ...rig.embedder.model, contextTokens: 4 };
  rig.embedder.parts = async (texts) => {
    asked.push(...texts);
    return texts.map((text) => Math.ceil(text.split(" ").length / 4));
  };
  rig.source.put("a", `two words\n${long}`);
  return { rig, asked };
}

function metadataOf(rig: Rig, sink = "main"): unknown[] {
  return rig
    .sinkOf(sink)
    .records.toSorted((left, right) => (left.text ?? "").length - (right.text ?? "").length)
    .map(({ metadata }) => metadata);
}

describe("a text that is embedded in parts", () => {
  it("says so in its record, and the others do not", async () => {
    const { rig, asked } = cutting();
    expect((await rig.run()).exitCode).toBe(0);
    expect(metadataOf(rig)).toEqual([{}, { embedding_parts: 2 }]);
    expect(asked).toEqual([long]);
  });

  it("says so also where it is the document prompt that makes it too long", async () => {
    const { rig } = cutting();
    const prompts = { document: "a long instruction: {text}", query: "" };
    rig.embedder.model = { ...rig.embedder.model, prompts };
    rig.embedder.parts = async (texts) => texts.map(() => 2);
    rig.source.put("a", "one");
    expect((await rig.run()).exitCode).toBe(0);
    expect(metadataOf(rig)).toEqual([{ embedding_parts: 2 }]);
  });

  it("says so also when its vector comes from the cache", async () => {
    const { rig } = cutting();
    await rig.run();
    rig.embedder.texts.length = 0;
    rig.source.put("b", `more\n${long}`);
    await rig.run();
    expect(rig.embedder.texts).toEqual(["more"]);
    expect(metadataOf(rig, "other").filter((one) => JSON.stringify(one) !== "{}")).toEqual([
      { embedding_parts: 2 },
      { embedding_parts: 2 },
    ]);
  });

  it("may come from a chunker that makes chunks beyond the context", async () => {
    const { rig } = cutting();
    const [settings] = rig.sources.values();
    if (settings !== undefined) settings.maxTokens = 100;
    expect((await rig.run()).exitCode).toBe(0);
    delete rig.embedder.parts;
    expect((await rig.run()).summary.error?.message).toMatch(/reads 4/);
  });

  it("is not written when the embedder cannot tell its parts: the run ends, nothing is a dead letter", async () => {
    const { rig } = cutting();
    rig.embedder.parts = async () => {
      throw new Fault("embed.model", "The tokenizer is gone.");
    };
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(5);
    expect(summary.failures).toEqual([]);
    expect(rig.sink.records).toEqual([]);
  });
});
