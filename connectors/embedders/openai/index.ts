import { define } from "../../../src/contracts/index.ts";
import { openaiConfig } from "./config.ts";
import { OpenaiEmbedder } from "./embedder.ts";

/** Any server with OpenAI's embeddings API: vLLM, SGLang, TEI, llama.cpp, Ollama, OpenAI itself. */
export const openaiEmbedder = define({
  kind: "embedder",
  type: "openai",
  revision: 1,
  summary: "Embeds through any server with OpenAI's `/v1/embeddings`.",
  stability: "stable",
  config: openaiConfig,
  examples: [
    {
      title: "A model on this machine",
      config: { url: "http://localhost:8000/v1", model: "Qwen/Qwen3-Embedding-0.6B" },
    },
    {
      title: "Two servers that share the work",
      config: {
        urls: ["http://gpu-1:30000/v1", "http://gpu-2:30000/v1"],
        server: "sglang",
        model: "Qwen/Qwen3-Embedding-4B",
        max_batch_texts: 64,
      },
    },
    {
      title: "A service with a key",
      config: {
        url: "https://api.openai.com/v1",
        api_key: "a-key",
        model: "text-embedding-3-small",
        max_batch_texts: 256,
        max_batch_tokens: 100_000,
      },
    },
    {
      title: "A model that sluice does not know",
      config: {
        url: "http://localhost:8080/v1",
        model: "nomic-embed-text",
        document_instruction: "search_document: ",
        query_instruction: "search_query: ",
        context_tokens: 2048,
        matryoshka: true,
        min_dimension: 64,
      },
    },
  ],
  packages: [],
  create: (config, { clock, folder }) => new OpenaiEmbedder(config, clock, folder),
});
