import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { fit } from "../../../../src/dimensions/index.ts";
import { cosine, createTiny, farthest, type Golden, goldens, signal } from "./harness.ts";

const prompt =
  "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";
const documents = goldens.items.filter(({ kind }) => kind === "document");
const queries = goldens.items.filter(
  ({ kind, text }) => kind === "query" && text.startsWith(prompt),
);

const files = {
  "onnx/model.onnx": "fp32",
  "onnx/model_pooled.onnx": "fp32",
  "onnx/model_kv_gqa.onnx": "fp32",
  "onnx/model_fp16.onnx": "fp16",
  "onnx/model_q8.onnx": "q8",
} as const;

for (const [file, precision] of Object.entries(files)) {
  describe(`the embedder with ${file}`, () => {
    const { min_cosine: minCosine, max_abs_diff: maxDifference } = goldens.tolerance[precision];
    let embedder: Embedder;
    beforeAll(async () => {
      embedder = createTiny({ file, max_batch_tokens: 600 });
      await embedder.open(signal);
    }, 30_000);
    afterAll(() => embedder.close());

    function expectGolden(vectors: readonly Float32Array[], items: readonly Golden[]): void {
      expect(vectors.length).toBe(items.length);
      for (const [index, { name, vector, dim32, dim48 }] of items.entries()) {
        const found = vectors[index] ?? new Float32Array(0);
        expect(Math.abs(Math.hypot(...found) - 1), name).toBeLessThan(1e-5);
        for (const expected of [vector, dim48, dim32]) {
          const fitted = fit(found, expected.length);
          expect(cosine(fitted, expected), name).toBeGreaterThanOrEqual(minCosine);
          expect(farthest(fitted, expected), name).toBeLessThanOrEqual(maxDifference);
        }
      }
    }

    it("gives the golden vector of every document in one call, and of its prefixes of 48 and 32", async () => {
      const { vectors, tokens } = await embedder.embed(
        documents.map(({ text }) => text),
        "document",
        signal,
      );
      expectGolden(vectors, documents);
      expect(tokens).toBe(documents.reduce((sum, { ids }) => sum + ids.length, 0));
    });

    it("gives the golden vector of every query, dressed by itself", async () => {
      expect(queries.length).toBe(3);
      const { vectors } = await embedder.embed(
        queries.map(({ text }) => text.slice(prompt.length)),
        "query",
        signal,
      );
      expectGolden(vectors, queries);
    });
  });
}

describe("the embedder", () => {
  it("puts another task into the frame, and gives the golden vector of that query", async () => {
    const [other] = goldens.items.filter(({ name }) => name === "query-other-task");
    const found = /^Instruct: (.*)\nQuery:(.*)$/s.exec(other?.text ?? "");
    const embedder = createTiny({ query_instruction: found?.[1] });
    try {
      const { vectors } = await embedder.embed([found?.[2] ?? ""], "query", signal);
      expect(cosine(vectors[0] ?? [], other?.vector ?? [])).toBeGreaterThan(0.999_999);
    } finally {
      await embedder.close();
    }
  });
});
