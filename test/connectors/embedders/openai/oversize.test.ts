import { describe, expect, it, onTestFinished } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { mergeParts } from "../../../../src/embedding/index.ts";
import { stubVector } from "../../../../src/testkit/embedding-vector.ts";
import { embedderFor, faultOf, place, setUp, signal } from "./harness.ts";
import { type ProductOptions, type ProductServer, startProductServer } from "./product-server.ts";

/** Its words are Qwen3's tokens. */
function words(count: number): string {
  return Array.from({ length: count }, (_, index) => ["one", "two", "three"][index % 3]).join(" ");
}

async function opened(
  options: ProductOptions,
  config: Record<string, unknown> = {},
): Promise<{ server: ProductServer; embedder: Embedder }> {
  const server = await startProductServer(options);
  onTestFinished(() => server.close());
  const embedder = embedderFor(server.url, { oversize: "split", ...config });
  await embedder.open(signal);
  return { server, embedder };
}

async function embedOne(embedder: Embedder, text: string): Promise<Float32Array | undefined> {
  return (await embedder.embed([text], "document", signal)).vectors[0];
}

async function partsOf(embedder: Embedder, text: string): Promise<number | undefined> {
  return (await embedder.parts?.([text], signal))?.[0];
}

function cosine(left: Float32Array, right: Float32Array): number {
  const dot = left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}

/** The vector of a text that is cut into parts of so many words, each with `special` tokens besides. */
function meanOf(text: string, sizes: readonly number[], special = 1): Float32Array {
  let rest: readonly string[] = text.split(" ");
  const parts = sizes.map((size) => {
    const part = rest.slice(0, size);
    rest = rest.slice(size);
    return { vector: stubVector(part.join(" "), 16), tokens: size + special };
  });
  expect(rest).toEqual([]);
  return mergeParts(parts);
}

const exact = { tokenizer: "qwen3" };
const products = ["sglang", "vllm", "tei", "ollama", "llama.cpp", "infinity"] as const;

describe("the openai embedder with `oversize: split`", () => {
  it("has parts only then", async () => {
    const { server } = await opened({ product: "vllm" });
    expect(embedderFor(server.url).parts).toBeUndefined();
  });

  it.each(products)(
    "cuts at the last token that %s reads, and is never cut by it",
    async (product) => {
      const { server, embedder } = await opened({ product }, { ...exact, context_tokens: 64 });
      const fits = product === "sglang" || product === "llama.cpp" ? 62 : 63;
      expect(await partsOf(embedder, words(fits))).toBe(1);
      expect(await partsOf(embedder, words(fits + 1))).toBe(2);
      const before = server.requests;
      await embedOne(embedder, words(fits));
      expect(server.requests - before).toBe(1);
      const vector = await embedOne(embedder, words(fits * 2));
      expect(
        cosine(vector ?? new Float32Array(16), meanOf(words(fits * 2), [fits, fits])),
      ).toBeGreaterThan(0.999_999);
      expect(server.cut).toBe(0);
    },
  );

  it("takes the context from the server, or from the file where that is less", async () => {
    for (const [config, contextTokens] of [
      [{}, 100],
      [{ context_tokens: 50 }, 50],
      [{ context_tokens: 500 }, 100],
    ] as const) {
      const { embedder } = await opened({ product: "vllm", context: 100 }, { ...exact, ...config });
      expect((await embedder.open(signal)).contextTokens).toBe(contextTokens);
    }
  });

  it("knows the context that Ollama gave the model before the first text, known length or not", async () => {
    const { server, embedder } = await opened(
      { product: "ollama" },
      { ...exact, native_dimension: 16 },
    );
    expect(await partsOf(embedder, words(100))).toBe(2);
    await embedOne(embedder, words(100));
    expect(server.cut).toBe(0);
  });

  it("is a space of its own where the file says how long parts are, and only then", async () => {
    const { server, embedder } = await opened({ product: "vllm" });
    expect(await embedder.open(signal)).not.toHaveProperty("revision");
    const narrow = embedderFor(server.url, { oversize: "split", context_tokens: 50 });
    expect(await narrow.open(signal)).toMatchObject({ revision: "parts-50" });
    expect(await embedderFor(server.url, { context_tokens: 50 }).open(signal)).not.toHaveProperty(
      "revision",
    );
  });

  it("stays three quarters below the context where tokens are only estimated", async () => {
    const { embedder } = await opened({ product: "vllm", context: 102 });
    expect(await partsOf(embedder, words(75))).toBe(1);
    expect(await partsOf(embedder, words(76))).toBe(2);
  });

  it.each(["vllm", "sglang", "llama.cpp"] as const)(
    "cuts a part further that %s refuses, because its vocabulary has more tokens",
    async (product) => {
      const { server, embedder } = await opened({ product, context: 102, tokensPerWord: 3 });
      const text = words(150);
      const vector = await embedOne(embedder, text);
      expect(vector).toHaveLength(16);
      expect(server.cut).toBe(0);
      expect(await partsOf(embedder, text)).toBeGreaterThan(1);
      expect(await embedOne(embedder, text)).toEqual(vector);
    },
  );

  it.each(["ollama", "tei"] as const)(
    "cuts a part further that %s has cut in silence, and uses nothing of that",
    async (product) => {
      // 75 words are estimated to fit, and 33 do.
      const { server, embedder } = await opened({ product, context: 102, tokensPerWord: 3 });
      const text = words(76);
      const vector = await embedOne(embedder, text);
      expect(server.cut).toBeGreaterThan(0);
      expect(await partsOf(embedder, text)).toBe(2);
      const halvedTwice = meanOf(text, [19, 19, 19, 18, 1], 2);
      expect(cosine(vector ?? new Float32Array(16), halvedTwice)).toBeGreaterThan(0.999_999);
    },
  );

  it("refuses a text that is estimated to fit and does not, and says what to set", async () => {
    for (const product of ["vllm", "ollama"] as const) {
      const { embedder } = await opened({ product, context: 102, tokensPerWord: 3 });
      const fault = await faultOf(embedOne(embedder, words(60)));
      expect(fault).toMatchObject({ code: "embed.too-long", scope: "document", retry: "never" });
      expect(fault.message).toContain("Set `context_tokens` to what it really takes");
    }
  });

  it("refuses a text among others so that it is looked for", async () => {
    const { embedder } = await opened({ product: "vllm", context: 102, tokensPerWord: 3 });
    const among = embedder.embed(["short", words(60), words(200)], "document", signal);
    expect(await faultOf(among)).toMatchObject({ code: "embed.too-long", retry: "smaller" });
  });

  it("gives up on a server that refuses every part, after a few requests", async () => {
    const { server, embedder } = await setUp(
      { behaviour: ({ texts }) => (texts.join("").length > 20 ? tooLong : undefined) },
      { oversize: "split", context_tokens: 2_000 },
    );
    const text = words(3_000);
    const fault = await faultOf(embedOne(embedder, text));
    expect(fault).toMatchObject({ code: "embed.too-long", scope: "document", retry: "never" });
    expect(server.stats().requests).toBeLessThan(30);
  });

  it("sends parts within the limits of a call, several at once", async () => {
    const { server, embedder } = await opened(
      { product: "tei", maxTexts: 4 },
      { ...exact, max_batch_tokens: 200 },
    );
    const before = server.requests;
    // Ten parts of 64 tokens: three fit into a request.
    const vector = await embedOne(embedder, words(630));
    expect(vector).toHaveLength(16);
    expect(server.requests - before).toBe(4);
    expect(server.mostTexts).toBeLessThanOrEqual(4);
  });

  it("sends texts that all fit in one request, and long ones besides do not change that of short ones", async () => {
    const { server, embedder } = await opened({ product: "vllm" }, exact);
    const before = server.requests;
    const short = ["one", "two", "three"];
    await embedder.embed(short, "document", signal);
    expect(server.requests - before).toBe(1);
    const { vectors } = await embedder.embed([...short, words(150), "four"], "document", signal);
    for (const [index, text] of [...short, "", "four"].entries()) {
      if (text !== "") expect(vectors[index]).toEqual(stubVector(text, 16));
    }
    expect(
      cosine(vectors[3] ?? new Float32Array(16), meanOf(words(150), [63, 63, 24])),
    ).toBeGreaterThan(0.999_999);
  });

  it("dresses every part, and leaves room for the dress", async () => {
    const { server, embedder } = await opened(
      { product: "vllm" },
      {
        ...exact,
        document_instruction: "a dress of five words: {text}",
        query_instruction: "query: ",
      },
    );
    expect(await partsOf(embedder, words(200))).toBe(5);
    await embedOne(embedder, words(200));
    expect((await embedder.embed([words(200)], "query", signal)).vectors).toHaveLength(1);
    expect(server.cut).toBe(0);
  });

  it("refuses an instruction that leaves no room", async () => {
    const { embedder } = await opened(
      { product: "vllm" },
      { ...exact, document_instruction: words(60) },
    );
    const fault = await faultOf(embedOne(embedder, words(100)));
    expect(fault).toMatchObject({ code: "config.invalid", scope: "component" });
    expect(fault.message).toContain("leaves no room");
  });

  it("embeds texts of 40,000 tokens, without a space and of lone surrogates", async () => {
    const { server, embedder } = await opened(
      { product: "vllm", context: 9_999 },
      { ...exact, context_tokens: 512 },
    );
    const texts = [words(40_000), "字".repeat(3_000), "\ud800 ".repeat(1_000)];
    const { vectors } = await embedder.embed(texts, "document", signal);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(server.cut).toBe(0);
  });

  it("passes on what is no refusal, and stops on abort", async () => {
    const { servers, embedder } = await place(1, { oversize: "split", context_tokens: 64 });
    await embedder.open(signal);
    servers[0]?.behave([undefined, { kind: "status", status: 503, retryAfter: "7" }]);
    const long = words(9_000);
    const config = { code: "embed.rate-limited", scope: "component", retryAfterMs: 7_000 };
    expect(await faultOf(embedOne(embedder, long))).toMatchObject(config);
    const stop = new AbortController();
    servers[0]?.behave(() => {
      stop.abort("enough");
      return { kind: "hang" };
    });
    await expect(embedder.embed([long], "document", stop.signal)).rejects.toBe("enough");
  });
});

const tooLong = {
  kind: "status",
  status: 400,
  body: '{"message":"This model\'s maximum context length is 8 tokens."}',
} as const;
