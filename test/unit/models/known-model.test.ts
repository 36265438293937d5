import { describe, expect, it } from "vitest";
import { knownModel } from "../../../src/models/index.ts";

describe("knownModel", () => {
  it.each([
    ["Qwen/Qwen3-Embedding-0.6B", 1024],
    ["Qwen/Qwen3-Embedding-4B", 2560],
    ["Qwen/Qwen3-Embedding-8B", 4096],
    ["qwen3-embedding:0.6b", 1024],
    ["dengcao/Qwen3-Embedding-4B:Q4_K_M", 2560],
    ["/models/Qwen3-Embedding-8B-Q8_0.gguf", 4096],
    ["qwen3_embedding_0.6b", 1024],
    ["qwen3-embedding:latest", undefined],
    ["qwen3-embedding", undefined],
  ])("recognises %s with %s dimensions", (name, native) => {
    const model = knownModel(name);
    expect(model?.native).toBe(native);
    expect(model?.min).toBe(32);
    expect(model?.queryFrame).toBe("Instruct: {task}\nQuery:{query}");
  });

  it("knows what OpenAI shortens, and that it takes no instruction", () => {
    expect(knownModel("openai/text-embedding-3-large")).toMatchObject({ native: 3072, min: 256 });
    expect(knownModel("text-embedding-3-small")?.queryFrame).toBeUndefined();
  });

  it.each(["Qwen/Qwen3-0.6B", "Qwen3-Reranker-4B", "qwen3-embedding-40b", "nomic-embed-text", ""])(
    "does not take %s for a model that it knows in size",
    (name) => {
      expect(knownModel(name)?.native).toBeUndefined();
    },
  );
});
