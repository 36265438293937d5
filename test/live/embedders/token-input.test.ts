import { expect, test } from "vitest";
import { resolve } from "node:path";
import { farthest, goldens, signal, tiny } from "../../connectors/embedders/qwen3/harness.ts";
import { describeLive } from "../support/live-servers.ts";
import { mostTokens, servedBy } from "./tiny-server.ts";

const tokenizerFile = resolve("test/fixtures/tiny-qwen3/tokenizer.json");
const { max_abs_diff: maxDifference } = goldens.tolerance.fp32;
const documents = goldens.items.filter(({ kind, ids }) => kind === "document" && ids.length <= 500);

describeLive("llama-cpp", ({ address }) => {
  test("a real server gives the ids of the model's own file PyTorch's vectors, and that is proven at the start", async () => {
    const embedder = servedBy(address, { input: "tokens", tokenizer_file: tokenizerFile });
    const { specialTokens } = await embedder.open(signal);
    expect(specialTokens).toBe(1);
    const notes = embedder.notes?.() ?? [];
    expect(notes.map(({ message }) => message).join("\n")).not.toContain("in spite of");
    const texts = documents.map(({ text }) => text);
    const { vectors, tokens } = await embedder.embed(texts, "document", signal);
    expect(tokens).toBe(documents.reduce((sum, { ids }) => sum + ids.length, 0));
    for (const [index, vector] of vectors.entries()) {
      const golden = documents[index]?.vector ?? [];
      const norm = Math.hypot(...golden);
      const unit = golden.map((value) => value / norm);
      expect(farthest(vector, unit), texts[index]).toBeLessThanOrEqual(maxDifference);
    }
  });

  test("a long text is cut in front of a real server as in this process, and has the same vector", async () => {
    const split = { oversize: "split", tokenizer_file: tokenizerFile };
    const long = goldens.items.find(({ name }) => name === "long")?.text ?? "";
    const texts = [`${long}\n\n${long} ${long}`, "Short.", "水門".repeat(700)];
    const own = tiny({ oversize: "split", context_tokens: mostTokens });
    for (const input of ["text", "tokens"]) {
      const served = servedBy(address, { ...split, input });
      const parts = await served.parts?.(texts, signal);
      expect(parts).toEqual(await own.parts?.(texts, signal));
      expect(Math.max(...(parts ?? []))).toBeGreaterThan(2);
      const { vectors } = await served.embed(texts, "document", signal);
      const expected = await own.embed(texts, "document", signal);
      for (const [index, vector] of vectors.entries()) {
        const difference = farthest(vector, expected.vectors[index] ?? []);
        expect(difference, input).toBeLessThanOrEqual(maxDifference);
      }
    }
  });
});
