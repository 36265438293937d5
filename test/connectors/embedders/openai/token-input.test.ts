import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { embedderFor, faultOf, signal } from "./harness.ts";
import { type IdsQuirk, startIdsServer, tokenizerFile } from "./ids-server.ts";

const texts = ["Hello world", "", "Ångström 水門 \ud800 <|im_end|>", "word ".repeat(90)];
const byIds = { input: "tokens", tokenizer_file: tokenizerFile };

async function opened(embedder: Embedder): Promise<Embedder> {
  await embedder.open(signal);
  return embedder;
}

async function documents(embedder: Embedder, list = texts): Promise<readonly Float32Array[]> {
  return (await embedder.embed(list, "document", signal)).vectors;
}

function notesOf(embedder: Embedder): string {
  return (embedder.notes?.() ?? []).map(({ level, message }) => `${level}: ${message}`).join("\n");
}

describe("the openai embedder with `input: tokens`", () => {
  it.each(["vllm", "sglang", "llamacpp"])(
    "sends %s ids, and gets the vectors of texts",
    async (product) => {
      const server = await startIdsServer(product);
      const plain = await documents(await opened(embedderFor(server.url)));
      const embedder = await opened(embedderFor(server.url, byIds));
      const before = server.texts.length;
      expect(await documents(embedder)).toEqual(plain);
      expect(server.texts.length).toBe(before);
      expect(server.ids.at(-4)?.at(-1)).toBe(2256);
      expect(notesOf(embedder)).not.toContain("in spite of");
    },
  );

  it("dresses queries and documents before they become ids", async () => {
    const server = await startIdsServer();
    const dress = { document_instruction: "doc: ", query_instruction: "query: " };
    const plain = await opened(embedderFor(server.url, dress));
    const embedder = await opened(embedderFor(server.url, { ...byIds, ...dress }));
    for (const purpose of ["document", "query"] as const) {
      const { vectors } = await plain.embed(texts, purpose, signal);
      expect((await embedder.embed(texts, purpose, signal)).vectors).toEqual(vectors);
    }
  });

  it.each([
    ["refuses ids", "refuses", "the server refuses token ids"],
    ["appends an end token to ids, too", "appends-end", "another vector"],
    ["has another vocabulary", "other-tokenizer", "another vector"],
  ] as readonly [string, IdsQuirk, string][])(
    "sends texts to a server that %s, and says why",
    async (_, quirk, why) => {
      const server = await startIdsServer("vllm", quirk);
      const embedder = await opened(embedderFor(server.url, byIds));
      const before = server.ids.length;
      expect(await documents(embedder)).toEqual(await documents(embedderFor(server.url)));
      expect(server.ids.length).toBe(before);
      expect(notesOf(embedder)).toContain("is sent texts in spite of `input: tokens`");
      expect(notesOf(embedder)).toContain(why);
    },
  );

  it.each([
    ["infinity", "Infinity does not read token ids"],
    ["nobody", "not known whether"],
  ])("never tries ids on %s", async (product, why) => {
    const server = await startIdsServer(product);
    const embedder = await opened(embedderFor(server.url, byIds));
    await documents(embedder);
    expect(server.ids).toEqual([]);
    expect(notesOf(embedder)).toContain(why);
  });

  it("sends texts where the file is that of another tokenizer, which differs in loose marks alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-tokenizer-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const json = JSON.parse(readFileSync(tokenizerFile, "utf8")) as Record<string, unknown>;
    writeFileSync(join(folder, "other.json"), JSON.stringify({ ...json, normalizer: null }));
    const server = await startIdsServer();
    const embedder = await opened(
      embedderFor(server.url, { ...byIds, tokenizer_file: join(folder, "other.json") }),
    );
    expect(notesOf(embedder)).toMatch(/in spite of/);
    expect(server.ids.length).toBeLessThan(5);
  });

  it("does without the server's count, where it gives none", async () => {
    const server = await startIdsServer("vllm", "counts-nothing");
    const embedder = await opened(embedderFor(server.url, byIds));
    await documents(embedder);
    expect(server.ids.length).toBeGreaterThan(4);
    expect(notesOf(embedder)).not.toContain("in spite of");
  });

  it("proves each of several servers by itself", async () => {
    const [right, wrong] = [await startIdsServer(), await startIdsServer("vllm", "refuses")];
    const embedder = await opened(embedderFor([right.url, wrong.url], byIds));
    const [ids, others] = [right.ids.length, right.texts.length];
    const calls = Array.from({ length: 8 }, (_, index) => documents(embedder, [`Text ${index}.`]));
    await Promise.all(calls);
    expect(right.ids.length).toBeGreaterThan(ids);
    expect(right.texts.length).toBe(others);
    expect(wrong.ids).toEqual([]);
  });

  it("cuts texts that are too long to the last token, and sends the parts as ids", async () => {
    const server = await startIdsServer();
    const embedder = await opened(embedderFor(server.url, { ...byIds, oversize: "split" }));
    const before = server.texts.length;
    await documents(embedder, [" a".repeat(2_000)]);
    expect(server.texts.length).toBe(before);
    expect(Math.max(...server.ids.map((ids) => ids.length))).toBe(512);
  });
});

describe("a `tokenizer_file`", () => {
  it("counts exactly, names its content, and tells its special tokens", async () => {
    const server = await startIdsServer();
    const embedder = embedderFor(server.url, { tokenizer_file: tokenizerFile });
    const model = await embedder.open(signal);
    expect(model).toMatchObject({ contextTokens: 512, specialTokens: 1 });
    expect(embedder.tokenizer).toMatchObject({
      exact: true,
      id: expect.stringMatching(/^tokenizer-/),
    });
    expect(await embedder.tokenizer.countBatch(["Hello world"])).toEqual([5]);
    await documents(embedder);
    expect(server.ids).toEqual([]);
  });

  it.each([
    ["that is not there", { tokenizer_file: "/nowhere/tokenizer.json" }, "/nowhere/tokenizer.json"],
    ["that is none", { tokenizer_file: "/dev/null" }, "/dev/null"],
  ])("%s is refused by its name", async (_, config, name) => {
    const server = await startIdsServer();
    const fault = await faultOf(embedderFor(server.url, config).open(signal));
    expect(fault).toMatchObject({ code: "config.invalid", scope: "component" });
    expect(fault.message).toContain(name);
  });

  it.each([
    ["`input: tokens` without it", { input: "tokens" }, "no `tokenizer_file`"],
    ["it beside `tokenizer`", { tokenizer_file: "x", tokenizer: "qwen3" }, "both"],
  ])("is missed or in the way: %s", (_, config, message) => {
    expect(() => embedderFor("http://127.0.0.1:1/v1", config)).toThrow(message);
  });
});
