import { describe, it } from "vitest";
import { embedderLaws } from "../../../../src/testkit/embedder-laws.ts";
import type { LawContext } from "../../../../src/testkit/law.ts";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import { embedderFor } from "./harness.ts";
import { type ProductOptions, startProductServer } from "./product-server.ts";

const config = { query_instruction: "query: ", context_tokens: 64 };

async function addressOf(context: LawContext, options: ProductOptions): Promise<string> {
  const server = await startProductServer(options);
  context.defer(() => server.close());
  return server.url;
}

/** Wrong answers and silence are those of no product: `laws.test.ts` has them. */
const notSupported = {
  wrong: "A product's answers are right.",
  silent: "A product answers.",
};

/** Its words are Qwen3's tokens. With the end token 64 fill the context, and SGLang and llama.cpp take one less. */
const text = "one two three four five ".repeat(40).trim();
const split = { ...config, oversize: "split", tokenizer: "qwen3" };

const products = ["sglang", "vllm", "tei", "ollama", "llama.cpp", "infinity"] as const;

for (const product of products) {
  const partTokens = product === "sglang" || product === "llama.cpp" ? 62 : 63;
  const laws = embedderLaws({
    notSupported,
    tooLongText: "long ".repeat(1_000),
    embedder: async (context) => embedderFor(await addressOf(context, { product }), config),
    inParts: {
      embedder: async (context) => embedderFor(await addressOf(context, { product }), split),
      text,
      partTokens,
    },
    unreachable: async (context) => {
      const server = await startProductServer({ product });
      context.defer(() => server.close());
      await server.close();
      return embedderFor(server.url, config);
    },
  });
  registerLaws(laws, { describe, it }, { title: `openai embedder in front of ${product}: it` });
}

const mixed = embedderLaws({
  notSupported,
  tooLongText: "long ".repeat(1_000),
  embedder: async (context) => {
    const urls: string[] = [];
    for (const product of products) urls.push(await addressOf(context, { product }));
    return embedderFor(urls, config);
  },
  inParts: {
    embedder: async (context) => {
      const urls: string[] = [];
      for (const product of products) urls.push(await addressOf(context, { product }));
      return embedderFor(urls, split);
    },
    text,
    partTokens: 62,
  },
  unreachable: async (context) => {
    const server = await startProductServer({ product: "vllm" });
    context.defer(() => server.close());
    await server.close();
    return embedderFor([server.url, `${server.url}/other`], config);
  },
});

registerLaws(mixed, { describe, it }, { title: "openai embedder in front of one of each: it" });
