import { describe, expect, it, onTestFinished } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import {
  type EmbeddingProduct,
  type ProductOptions,
  type ProductServer,
  startProductServer,
} from "./product-server.ts";
import { embedderFor, faultOf, setUp, signal } from "./harness.ts";

const products = ["sglang", "vllm", "tei", "ollama", "llama.cpp", "infinity"] as const;
const long = words(100);
const never = { code: "embed.too-long", scope: "document", retry: "never" };

async function opened(
  options: ProductOptions,
  config: Record<string, unknown> = {},
): Promise<{ server: ProductServer; embedder: Embedder; notes: string[] }> {
  const server = await startProductServer(options);
  onTestFinished(() => server.close());
  const embedder = embedderFor(server.url, { model: options.model ?? "stub-model", ...config });
  await embedder.open(signal);
  await embedder.embed(["Hello world", "and others"], "document", signal);
  const notes = (embedder.notes?.() ?? []).map(({ level, message }) => `${level}: ${message}`);
  return { server, embedder, notes };
}

function words(count: number): string {
  return Array<string>(count).fill("word").join(" ");
}

function warnings(notes: readonly string[]): readonly string[] {
  return notes.filter((note) => note.startsWith("warning"));
}

const names: Record<EmbeddingProduct, string> = {
  sglang: "SGLang 1.0.0",
  vllm: "vLLM 1.0.0",
  tei: "TEI 1.0.0",
  ollama: "Ollama 1.0.0",
  "llama.cpp": "llama.cpp 1.0.0",
  infinity: "Infinity",
};

describe("openai embedder in front of", () => {
  it.each(products)("%s recognises it, and says so", async (product) => {
    const { notes, server } = await opened({ product });
    expect(notes[0]).toContain(`\`${server.url}\` is ${names[product]}`);
    expect(server.asked.length).toBeLessThanOrEqual(6);
  });

  it.each(products)("%s never lets it cut a text that is too long", async (product) => {
    const { embedder, server } = await opened({ product }, { context_tokens: 64 });
    expect(await faultOf(embedder.embed([long], "document", signal))).toMatchObject(never);
    expect(await faultOf(embedder.embed(["short", long], "document", signal))).toMatchObject({
      ...never,
      retry: "smaller",
    });
    expect(server.cut).toBe(0);
  });

  it.each(products)("%s asks nothing twice, however often it is opened", async (product) => {
    const { embedder, server } = await opened({ product });
    const before = [server.requests, server.asked.length];
    await embedder.open(signal);
    expect([server.requests, server.asked.length]).toEqual(before);
  });

  it("an unknown server goes without notes", async () => {
    const { embedder } = await setUp();
    await embedder.open(signal);
    expect(embedder.notes?.()).toEqual([]);
  });

  it("OpenAI itself, when told so, asks nothing but vectors", async () => {
    const { server } = await opened({ product: "vllm" }, { server: "openai" });
    expect(server.asked).toEqual([]);
  });

  it("another product than configured warns and names both", async () => {
    const { notes } = await opened({ product: "vllm", version: "0.28.0" }, { server: "sglang" });
    expect(warnings(notes)).toHaveLength(1);
    expect(warnings(notes)[0]).toContain("says SGLang, but it answers as vLLM does");
  });

  it.each([
    ["0.25.1", 1],
    ["0.9.2", 1],
    ["0.26.0", 0],
    ["0.28.0rc1", 0],
    ["1.0.0", 0],
    ["dev", 0],
  ])("vLLM %s warns %i times of chunked prefill", async (version, count) => {
    const { notes } = await opened({ product: "vllm", version });
    expect(warnings(notes).filter((note) => note.includes("chunked prefill"))).toHaveLength(count);
  });

  it.each([
    ["warns of an end token that is missing", false, 1],
    ["is content with the end token", true, 0],
  ])("Qwen3-Embedding %s", async (_, endToken, count) => {
    const model = "Qwen3-Embedding-0.6B";
    const { notes } = await opened({ product: "llama.cpp", model, native: 1024, endToken });
    const found = warnings(notes).filter((note) => note.includes("add_eos_token"));
    expect(found).toHaveLength(count);
  });

  it("a model of another vocabulary says nothing of end tokens", async () => {
    const { notes } = await opened({ product: "llama.cpp", endToken: false });
    expect(warnings(notes)).toEqual([]);
  });

  it("TEI sends no more texts than it takes, from the first request on", async () => {
    const { embedder } = await opened({ product: "tei", maxTexts: 8 }, { max_batch_texts: 64 });
    expect(embedder.limits.textsPerCall).toBe(8);
    await embedder.embed(Array<string>(8).fill("x"), "document", signal);
  });

  it("TEI keeps the texts under way within its permits", async () => {
    const { embedder } = await opened({ product: "tei", permits: 20, maxTexts: 8 });
    const { textsPerCall, concurrentCalls } = embedder.limits;
    expect(textsPerCall * concurrentCalls).toBeLessThanOrEqual(20);
    expect(concurrentCalls).toBe(2);
  });

  it("SGLang takes one token less than its context", async () => {
    const { embedder } = await opened(
      { product: "sglang", autoTruncate: true },
      { tokenizer: "qwen3" },
    );
    await embedder.embed([words(62)], "document", signal);
    expect(await faultOf(embedder.embed([words(63)], "document", signal))).toMatchObject(never);
  });

  it("SGLang that cuts end tokens off warns of it", async () => {
    const { notes } = await opened({ product: "sglang", autoTruncate: true });
    expect(warnings(notes)[0]).toContain("--allow-auto-truncate");
  });

  it("Ollama learns the context of the loaded model, known length or not", async () => {
    for (const config of [{}, { native_dimension: 16 }]) {
      const { embedder, notes } = await opened({ product: "ollama" }, config);
      expect(notes).toEqual([expect.stringContaining("texts of up to 64 tokens")]);
      expect(await faultOf(embedder.embed([long], "document", signal))).toMatchObject(never);
    }
  });

  it("Ollama refuses a length that the model does not have, instead of taking another", async () => {
    const server = await startProductServer({ product: "ollama" });
    onTestFinished(() => server.close());
    const fault = await faultOf(embedderFor(server.url, { dimensions: 32 }).check(signal));
    expect(fault).toMatchObject({ code: "embed.invalid", scope: "component", retry: "never" });
    expect(fault.message).toContain("16 numbers where 32 are expected");
  });

  it.each([
    ["as long as its context", {}],
    ["larger than its physical batch, which pooling by the mean needs", { physicalBatch: 32 }],
  ])("llama.cpp does not repeat a text that is %s", async (_, options) => {
    const { embedder, server } = await opened({ product: "llama.cpp", ...options });
    const before = server.requests;
    const longest = embedder.embed([words(63)], "document", signal);
    expect(await faultOf(longest)).toMatchObject(never);
    expect(server.requests).toBe(before + 1);
  });

  it("llama.cpp sends nothing that is as long as its context, where tokens are counted exactly", async () => {
    const { embedder, server } = await opened({ product: "llama.cpp" }, { tokenizer: "qwen3" });
    await embedder.embed([words(62)], "document", signal);
    const before = server.requests;
    const longer = embedder.embed([words(63)], "document", signal);
    expect(await faultOf(longer)).toMatchObject(never);
    expect(server.requests).toBe(before);
  });

  it("llama.cpp tells which model it has loaded, when it is another than configured", async () => {
    for (const loaded of ["other-Q8_0.gguf", "/srv/models/other-Q8_0.gguf"]) {
      const other = await opened({ product: "llama.cpp", loaded });
      expect(other.notes[0]).toContain("It answers with `other-Q8_0.gguf`");
    }
    const same = await opened({ product: "llama.cpp" });
    expect(same.notes[0]).not.toContain("It answers with");
  });

  it("llama.cpp built by others goes without a version", async () => {
    const { notes } = await opened({ product: "llama.cpp", version: "b0-unknown" });
    expect(notes[0]).toContain("is llama.cpp, texts of up to 63 tokens");
  });

  it.each(products)("%s gives letters with marks one vector, composed or not", async (product) => {
    const composesItself = !["llama.cpp", "ollama"].includes(product);
    const { embedder } = await opened({ product, composesItself });
    const texts = ["Ångström café", "A\u030angstro\u0308m cafe\u0301"];
    const { vectors } = await embedder.embed(texts, "document", signal);
    expect(vectors[1]).toEqual(vectors[0]);
  });

  it.each([
    ["known to compose them", { model: "Qwen3-Embedding-0.6B" }, 1],
    ["said to compose them", { tokenizer: "qwen3", native_dimension: 1024 }, 1],
    ["not known", { native_dimension: 1024 }, 2],
  ])(
    "a server that reads letters and marks as they stand, and a model %s",
    async (_, config, kinds) => {
      const product = { product: "infinity", composesItself: false, native: 1024 } as const;
      const server = await startProductServer(product);
      onTestFinished(() => server.close());
      const embedder = embedderFor(server.url, config);
      await embedder.open(signal);
      const { vectors } = await embedder.embed(["café", "cafe\u0301"], "document", signal);
      expect(new Set(vectors.map(String)).size).toBe(kinds);
    },
  );

  it.each([{}, { native_dimension: 16 }])(
    "a server that loads its model says so, and is recognised once it answers (%o)",
    async (config) => {
      const server = await startProductServer({ product: "llama.cpp", loadingRequests: 8 });
      onTestFinished(() => server.close());
      const embedder = embedderFor(server.url, config);
      const opening = (): Promise<unknown> =>
        embedder.open(signal).then(() => embedder.embed(["x"], "document", signal));
      const fault = await faultOf(opening());
      expect(fault).toMatchObject({ code: "embed.rate-limited", retry: "later" });
      expect(fault.message).toContain("is still loading its model (503)");
      await expect
        .poll(() =>
          opening().then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
      expect(embedder.notes?.()[0]?.message).toContain("is llama.cpp 1.0.0, texts of up to 63");
    },
  );

  it.each(["vllm", "sglang"] as const)(
    "%s gives fewer dimensions only where allowed",
    async (product) => {
      const { embedder } = await opened({ product, matryoshka: true }, { dimensions: 8 });
      const { vectors } = await embedder.embed(["x"], "document", signal);
      expect(vectors[0]).toHaveLength(8);
      const refused = opened({ product }, { dimensions: 8 });
      const fault = await faultOf(refused);
      expect(fault.message).toContain("`dimensions`");
    },
  );
});
