import { describe, expect, it } from "vitest";
import { plan } from "../../../src/engine/plan.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

async function indexed(documents = 10): Promise<Rig> {
  const rig = new Rig();
  for (let number = 0; number < documents; number += 1) rig.source.put(`d${number}`, `t${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  rig.forgetCounts();
  return rig;
}

function setRecipe(rig: Rig, source: string, recipe: string): void {
  const settings = rig.sources.get(source);
  if (settings !== undefined) settings.chunkerRecipe = recipe;
}

describe("a changed recipe", () => {
  it("is refused with the cost until it is allowed; then every document is read again", async () => {
    const rig = await indexed();
    setRecipe(rig, "docs", "lines 2");
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.reprocess"]);
    expect(summary.error?.message).toMatch(/10 of 10 documents/);
    expect(rig.source.opens).toEqual([]);
    expect((await rig.run()).exitCode).toBe(4);
    const allowed = await rig.run({ reprocess: true });
    expect(allowed.exitCode).toBe(0);
    expect(allowed.summary.documents.updated).toBe(10);
    expect(rig.source.opens).toHaveLength(10);
    // What is still the same text is not embedded.
    expect(rig.embedder.texts).toEqual([]);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("that is undone is no change", async () => {
    const rig = await indexed();
    setRecipe(rig, "docs", "lines 2");
    await rig.run();
    setRecipe(rig, "docs", "lines");
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.source.opens).toEqual([]);
  });

  it("of the parser counts as well", async () => {
    const rig = await indexed();
    const settings = rig.sources.get("docs");
    if (settings !== undefined) settings.parserRecipe = "lines 2";
    expect((await rig.run()).summary.error?.code).toBe("refused.reprocess");
  });

  it("of the tokenizer counts as well: it moves the borders of chunks", async () => {
    const rig = await indexed();
    rig.embedder.tokenizer = { ...rig.embedder.tokenizer, id: "words 2" };
    expect((await rig.run()).summary.error?.code).toBe("refused.reprocess");
    expect((await rig.run({ reprocess: true })).summary.documents.updated).toBe(10);
    expect((await rig.run()).summary.documents.unchanged).toBe(10);
  });

  it("of a parser that no document needs is not asked about", async () => {
    const rig = await indexed();
    const settings = rig.sources.get("docs");
    for (const recipe of ["pdf 1", "pdf 2"]) {
      if (settings !== undefined) settings.unusedParserRecipe = recipe;
      const { exitCode, summary } = await rig.run();
      expect([exitCode, summary.documents.unchanged]).toEqual([0, 10]);
    }
  });

  it("of a source that is not in this run is not asked about", async () => {
    const rig = await indexed();
    rig.sources.set("other", { source: new RigSource() });
    setRecipe(rig, "docs", "lines 2");
    expect((await rig.run({ sources: ["other"] })).exitCode).toBe(0);
    expect((await rig.run()).summary.error?.code).toBe("refused.reprocess");
  });

  it("is not asked about where another embedding space fills a new collection anyway", async () => {
    const rig = await indexed();
    rig.embedder.tokenizer = { ...rig.embedder.tokenizer, id: "words 2" };
    rig.embedder.model = { ...rig.embedder.model, id: "another" };
    rig.sink.collection = "the collection of another model";
    const { exitCode, summary } = await rig.run();
    expect([exitCode, summary.documents.updated]).toEqual([0, 10]);
  });

  it.each([
    [8, 2, 0],
    [7, 3, 4],
  ])(
    "of a small source passes up to the fraction: %i and %i documents",
    async (rest, few, code) => {
      const rig = await indexed(rest);
      const small = new RigSource();
      rig.sources.set("small", { source: small });
      for (let number = 0; number < few; number += 1) small.put(`s${number}`, `small ${number}`);
      await rig.run();
      setRecipe(rig, "small", "lines 2");
      expect((await rig.run()).exitCode).toBe(code);
    },
  );

  it("that was allowed needs no second word when the run was interrupted", async () => {
    const rig = await indexed();
    setRecipe(rig, "docs", "lines 2");
    const stop = new AbortController();
    rig.set({ limits: { documents: 1 } });
    rig.sink.beforeWrite = async () => stop.abort();
    expect((await rig.run({ reprocess: true, stop: stop.signal })).exitCode).toBe(130);
    rig.sink.beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

async function rigWith(maxTokens: number): Promise<Rig> {
  const rig = await indexed();
  rig.source.put("new", "new text");
  Object.assign(rig.sources.get("docs") ?? {}, { maxTokens });
  return rig;
}

describe("a chunker that makes larger chunks than the model reads", () => {
  it("is refused before anything is read, by run and by plan, with both numbers", async () => {
    const rig = await rigWith(1001);
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([2, "config.invalid"]);
    expect(summary.error?.message).toMatch(/`docs`.*1001 tokens.*`rig` reads 1000/);
    expect(rig.source.opens).toEqual([]);
    await expect(plan(rig.pipeline)).rejects.toMatchObject({ code: "config.invalid" });
  });

  it("is taken at exactly the model's context", async () => {
    const rig = await rigWith(1000);
    expect((await rig.run()).exitCode).toBe(0);
  });
});

describe("a source with another name", () => {
  it("carries its documents over: nothing is embedded, nothing is left under the old name", async () => {
    const rig = await indexed();
    rig.sources.delete("docs");
    rig.sources.set("pages", { source: rig.source, previously: "docs" });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.withheld).toEqual([]);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.records.every(({ document }) => document.startsWith("pages:"))).toBe(true);
    expect(await rig.difference()).toEqual([]);
    expect((await rig.reading((session) => session.sources())).map(({ name }) => name)).toEqual([
      "pages",
    ]);
    rig.forgetCounts();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.source.opens).toEqual([]);
  });

  it("without `previously` is another source: the old one's documents are withheld", async () => {
    const rig = await indexed();
    rig.sources.delete("docs");
    rig.sources.set("pages", { source: rig.source });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ source: "docs", count: 10, reason: "removed" }]);
  });

  it("does not take over a source that is still in use", async () => {
    const rig = await indexed();
    const other = new RigSource();
    other.put("o", "other");
    rig.sources.set("other", { source: other, previously: "docs" });
    const { exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(rig.sink.records).toHaveLength(11);
    expect(await rig.difference()).toEqual([]);
  });
});

describe("a pipeline with another name", () => {
  it("carries its state and records over: nothing is embedded, nothing is left behind", async () => {
    const rig = await indexed();
    rig.previously = "rig";
    rig.name = "handbook";
    const { summary, exitCode } = await rig.run();
    expect(summary.error).toBeUndefined();
    expect(exitCode).toBe(0);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.records.every(({ pipeline }) => pipeline === "handbook")).toBe(true);
    expect(Object.keys(rig.sink.marker?.pipelines ?? {})).toEqual(["handbook"]);
    expect(await rig.difference()).toEqual([]);
    rig.previously = undefined;
    rig.forgetCounts();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.source.opens).toEqual([]);
  });

  it("without `previously` is refused its state", async () => {
    const rig = await indexed();
    rig.name = "handbook";
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "state.foreign"]);
  });
});

describe("two files of one name and state", () => {
  it("are refused; a file that moved is not", async () => {
    const rig = new Rig();
    rig.state = memoryStateStore();
    rig.source.put("a", "one");
    rig.file = import.meta.filename;
    await rig.run();
    rig.file = new URL("targets.test.ts", import.meta.url).pathname;
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.pipeline"]);
    rig.file = import.meta.filename;
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("take no offence at a file that is no longer there", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.file = "/nowhere/old.yaml";
    await rig.run();
    rig.file = import.meta.filename;
    expect((await rig.run()).exitCode).toBe(0);
  });
});
