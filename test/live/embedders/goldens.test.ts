import { expect, test } from "vitest";
import type { Embedder } from "../../../src/contracts/index.ts";
import { fit } from "../../../src/dimensions/index.ts";
import {
  cosine,
  farthest,
  type Golden,
  goldens,
  signal,
} from "../../connectors/embedders/qwen3/harness.ts";
import { describeLive } from "../support/live-servers.ts";
import { native, servedBy } from "./tiny-server.ts";

const frame = /^Instruct: (.*)\nQuery:(.*)$/s;
const documents = goldens.items.filter(({ kind }) => kind === "document");
const queries = goldens.items.filter(({ kind }) => kind === "query");
const { min_cosine: minCosine, max_abs_diff: maxDifference } = goldens.tolerance.fp32;

/** Of full length, and cut to the two others, each within the bounds of 32 bits. */
function expectGolden(vectors: readonly Float32Array[], items: readonly Golden[]): void {
  expect(vectors.length).toBe(items.length);
  for (const [index, { name, vector, dim32, dim48 }] of items.entries()) {
    const found = vectors[index] ?? new Float32Array(0);
    expect(found.length, name).toBe(native);
    expect(Math.abs(Math.hypot(...found) - 1), name).toBeLessThan(1e-5);
    for (const expected of [vector, dim48, dim32]) {
      const fitted = fit(found, expected.length);
      expect(cosine(fitted, expected), name).toBeGreaterThanOrEqual(minCosine);
      expect(farthest(fitted, expected), name).toBeLessThanOrEqual(maxDifference);
    }
  }
}

async function embedDocuments(embedder: Embedder, items: readonly Golden[]) {
  await embedder.open(signal);
  return embedder.embed(
    items.map(({ text }) => text),
    "document",
    signal,
  );
}

describeLive("llama-cpp", ({ address }) => {
  test("all documents in one request, short and long, have PyTorch's vectors, and the model's tokens", async () => {
    const { vectors, tokens } = await embedDocuments(servedBy(address), documents);
    expectGolden(vectors, documents);
    expect(tokens).toBe(documents.reduce((sum, { ids }) => sum + ids.length, 0));
  });

  test("each document alone has PyTorch's vector", async () => {
    const embedder = servedBy(address);
    for (const document of documents) {
      expectGolden((await embedDocuments(embedder, [document])).vectors, [document]);
    }
  });

  test("queries are dressed by the embedder, and have PyTorch's vectors", async () => {
    expect(queries.length).toBe(4);
    for (const query of queries) {
      const [, task = "", text = ""] = frame.exec(query.text) ?? [];
      const embedder = servedBy(address, { query_instruction: task });
      await embedder.open(signal);
      expectGolden((await embedder.embed([text], "query", signal)).vectors, [query]);
    }
  });

  test("requests at the same time, of texts in any order, have PyTorch's vectors", async () => {
    const embedder = servedBy(address);
    const turned = documents.map((_, at) => [...documents.slice(at), ...documents.slice(0, at)]);
    const answers = await Promise.all(turned.map((items) => embedDocuments(embedder, items)));
    for (const [at, { vectors }] of answers.entries()) expectGolden(vectors, turned[at] ?? []);
  });

  test("a length that the server does not give is refused, and never taken for the model's", async () => {
    const shortened = servedBy(address, { dimensions: 32 });
    await expect(embedDocuments(shortened, documents)).rejects.toMatchObject({
      code: "embed.invalid",
      message: expect.stringContaining("64 numbers where 32 are expected"),
    });
  });
});
