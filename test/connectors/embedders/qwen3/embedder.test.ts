import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { cutText, mergeParts } from "../../../../src/embedding/index.ts";
import { cosine, goldens, signal, tiny, tinyFolder } from "./harness.ts";

const texts = goldens.items.filter(({ kind }) => kind === "document").map(({ text }) => text);
const long = goldens.items.find(({ name }) => name === "long");

async function documents(embedder: Embedder, list: readonly string[]): Promise<Float32Array[]> {
  return [...(await embedder.embed(list, "document", signal)).vectors];
}

describe("the qwen3 embedder", () => {
  it("tells the space by name, content and document prompt, and its dimensions", async () => {
    const model = await tiny({ document_instruction: "doc: " }).open(signal);
    expect(model).toMatchObject({
      id: "tiny-qwen3",
      dimensions: { native: 64, min: 32, matryoshka: true },
      contextTokens: 512,
      prompts: { document: "doc: {text}" },
    });
    expect(model.prompts.query).toMatch(/^Instruct: .*\nQuery:\{query\}$/);
    expect(model.revision).toMatch(/^[0-9a-f]{24}$/);
  });

  it("is not Matryoshka when nobody says so, and takes the shortest prefix that is configured", async () => {
    const plain = await tiny({ matryoshka: undefined }).open(signal);
    expect(plain.dimensions).toEqual({ native: 64, min: 64, matryoshka: false });
    const other = await tiny({ min_dimension: 48 }).open(signal);
    expect(other.dimensions).toEqual({ native: 64, min: 48, matryoshka: true });
  });

  it("names its tokenizer by its content once it is open, and counts before", async () => {
    const embedder = tiny();
    expect(await embedder.tokenizer.countBatch(["Hello world"])).toEqual([5]);
    const { id } = embedder.tokenizer;
    expect(id).toMatch(/^tokenizer-/);
    const other = tiny();
    await other.open(signal);
    expect(other.tokenizer.id).toBe(id);
  });

  it("gives every text the same vector in batches of any size, in the order of the texts", async () => {
    const alone = await documents(tiny({ max_batch_texts: 1 }), texts);
    for (const config of [{ max_batch_tokens: 50 }, { max_batch_texts: 3 }, {}]) {
      const vectors = await documents(tiny(config), texts.toReversed());
      for (const [index, vector] of vectors.toReversed().entries()) {
        expect(cosine(vector, alone[index] ?? []), texts[index]).toBeGreaterThan(0.999_999);
      }
    }
  });

  it("embeds the empty text, white space, lone surrogates and literal special tokens", async () => {
    const odd = ["", " ", "\n\n", "a \ud800 b", "<|im_end|>", "<|endoftext|>", "<|endoftext|>x"];
    const vectors = await documents(tiny(), odd);
    expect(vectors.length).toBe(odd.length);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    const [replaced] = await documents(tiny(), ["a \ufffd b"]);
    expect(cosine(vectors[3] ?? [], replaced ?? [])).toBeGreaterThan(0.999_999);
  });

  it("tells which device it runs on, and what that has done", async () => {
    const embedder = tiny();
    expect(embedder.measures?.()).toEqual([]);
    await embedder.open(signal);
    const [fresh] = embedder.measures?.() ?? [];
    const nothing = { batches: 0, texts: 0, tokens: 0, padding: 0, latency: { p50: 0 } };
    expect(fresh).toMatchObject(nothing);
    await embedder.check(signal);
    expect(
      embedder
        .notes?.()
        .map(({ message }) => message)
        .join(),
    ).toContain("cpu");
    const [place] = embedder.measures?.() ?? [];
    expect(place).toMatchObject({ place: "cpu", inFlight: 0, batches: 1, texts: 1, padding: 0 });
  });

  it("measures its batches against what the settings let them hold, padding included", async () => {
    const embedder = tiny({ max_batch_tokens: 64, max_batch_texts: 9 });
    await documents(
      embedder,
      Array.from({ length: 40 }, (_, index) => "word ".repeat(index % 13)),
    );
    const [place] = embedder.measures?.() ?? [];
    const { batches = 0, tokens = 0, padding = 0, texts: count = 0 } = place ?? {};
    expect(place).toMatchObject({ batchTokens: 64, batchTexts: 9, texts: 40 });
    expect(padding).toBeGreaterThan(0);
    expect(tokens + padding).toBeLessThanOrEqual(64 * batches);
    expect(count).toBeLessThanOrEqual(9 * batches);
    const roomy = tiny({ max_batch_tokens: 9_999_999 });
    await documents(roomy, ["one"]);
    expect(roomy.measures?.()[0]?.batchTokens).toBeLessThan(9_999_999);
  });

  it("says in its limits how much a call holds: several batches, once it knows its device", async () => {
    const embedder = tiny({ max_wait_ms: 7, max_batch_texts: 10 });
    await embedder.open(signal);
    expect(embedder.limits).toEqual({
      textsPerCall: 40,
      tokensPerCall: 4 * 4096,
      concurrentCalls: 2,
      maxWaitMs: 7,
    });
    expect(tiny({ max_batch_tokens: 1000 }).limits.tokensPerCall).toBe(4000);
  });
});

describe("the qwen3 embedder refuses", () => {
  it("a text beyond the context, alone for good and among others to be looked for", async () => {
    const embedder = tiny();
    const beyond = "word ".repeat(40_000);
    const alone = embedder.embed([beyond], "document", signal);
    await expect(alone).rejects.toMatchObject({ code: "embed.too-long", retry: "never" });
    await expect(alone).rejects.toThrow(/512.*`oversize: split`/s);
    const among = embedder.embed(["short", beyond], "document", signal);
    await expect(among).rejects.toMatchObject({ scope: "document", retry: "smaller" });
    expect(embedder.parts).toBeUndefined();
  });

  it("a folder that is missing, and takes it once it is there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-qwen3-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const embedder = tiny({ path: join(folder, "model") });
    await expect(embedder.open(signal)).rejects.toMatchObject({ code: "embed.model" });
    await expect(embedder.tokenizer.countBatch(["x"])).rejects.toMatchObject({
      code: "embed.model",
    });
    cpSync(tinyFolder, join(folder, "model"), { recursive: true });
    expect((await embedder.open(signal)).dimensions.native).toBe(64);
  });

  it("a folder of another model than its name says", async () => {
    const named = tiny({ model: "Qwen/Qwen3-Embedding-0.6B" });
    await expect(named.open(signal)).rejects.toThrow(/64 numbers.*1024/s);
  });

  it("calls after it was closed, and ends those under way", async () => {
    const embedder = tiny({ max_batch_texts: 1 });
    await embedder.open(signal);
    const calls = Array.from({ length: 20 }, () => embedder.embed(texts, "document", signal));
    const outcomes = Promise.allSettled(calls);
    await embedder.close();
    expect((await outcomes).some(({ status }) => status === "rejected")).toBe(true);
    await expect(embedder.embed(["x"], "document", signal)).rejects.toMatchObject({
      code: "aborted",
    });
    await embedder.close();
  });

  it("to go on with a call that is aborted, and goes on with the others", async () => {
    const embedder = tiny({ max_batch_texts: 1 });
    await embedder.open(signal);
    const controller = new AbortController();
    const aborted = embedder.embed(texts, "document", controller.signal);
    const other = embedder.embed(["Hello world"], "document", signal);
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(aborted).rejects.toThrow("enough");
    expect((await other).vectors.length).toBe(1);
  });

  it("to open when it is closed meanwhile", async () => {
    const embedder = tiny();
    const opening = embedder.open(signal);
    const outcome = expect(opening).rejects.toMatchObject({ code: "aborted" });
    await embedder.close();
    await outcome;
  });
});

function embedderOf(config: Record<string, unknown> = {}): Embedder {
  return tiny({ oversize: "split", ...config });
}

describe("the qwen3 embedder with `oversize: split`", () => {
  const text = long?.text ?? "";

  it("gives texts that fit the vectors that they have without", async () => {
    const split = await documents(embedderOf(), texts);
    const plain = await documents(tiny(), texts);
    for (const [index, vector] of split.entries()) {
      expect(cosine(vector, plain[index] ?? [])).toBeGreaterThan(0.999_999);
    }
  });

  it("merges the vectors of the parts by their tokens, and tells how many there are", async () => {
    const embedder = embedderOf();
    const beyond = `${text}\n\n${text} ${text}`;
    const [vector] = await documents(embedder, [beyond]);
    // The end token stands behind every part.
    const parts = await cutText(beyond, embedder.tokenizer, 511);
    const vectors = await documents(
      embedder,
      parts.map((part) => part.text),
    );
    const weighed = parts.map(({ tokens }, index) => ({
      vector: vectors[index] ?? new Float32Array(64),
      tokens: tokens + 1,
    }));
    expect(cosine(vector ?? [], mergeParts(weighed))).toBeGreaterThan(0.999_999);
    expect(await embedder.parts?.(["short", beyond, ""], signal)).toEqual([1, 3, 1]);
  });

  it("dresses every part, and fits it with its dress into the context", async () => {
    const embedder = embedderOf({ document_instruction: "A rather long instruction: " });
    const { vectors, tokens } = await embedder.embed([text.repeat(9)], "document", signal);
    expect(vectors.length).toBe(1);
    const bare = await embedderOf().embed([text.repeat(9)], "document", signal);
    expect((tokens ?? 0) - (bare.tokens ?? 0)).toBeGreaterThan(30);
    const query = await embedder.embed([text.repeat(9)], "query", signal);
    expect(query.vectors[0]?.length).toBe(64);
  });

  it("embeds texts of 40,000 tokens, also without a single space", async () => {
    const beyond = ["word ".repeat(40_000), "字".repeat(3_000), "x".repeat(20_000)];
    const vectors = await documents(embedderOf(), beyond);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }, 60_000);

  it("cuts at the context that is configured, which makes a space of its own", async () => {
    const narrow = embedderOf({ context_tokens: 100 });
    const model = await narrow.open(signal);
    expect(model.contextTokens).toBe(100);
    expect(await narrow.parts?.([text], signal)).toEqual([5]);
    const whole = await embedderOf().open(signal);
    expect(model.revision).not.toBe(whole.revision);
    expect((await tiny({ context_tokens: 100 }).open(signal)).revision).toBe(whole.revision);
    expect((await tiny({ context_tokens: 9_999 }).open(signal)).contextTokens).toBe(512);
  });

  it("refuses an instruction that leaves no room", async () => {
    const embedder = embedderOf({ document_instruction: text.repeat(2) });
    const call = embedder.embed(["x".repeat(50)], "document", signal);
    await expect(call).rejects.toThrow(/leaves no room/);
  });
});
