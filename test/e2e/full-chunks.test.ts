import { resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { makePlace } from "./support/place.ts";
import { sync } from "./support/sync.ts";

const tiny = resolve("test/fixtures/tiny-qwen3");

/** Runs over one document of several chunks, each as full as it may be. */
async function runWith(embedder: readonly string[], maxTokens: number) {
  const chunker = `chunker: { type: structure, max_tokens: ${maxTokens}, overlap_tokens: 0 }`;
  const place = await makePlace({ embedder, sinks: { search: "auto" }, more: [chunker] });
  const words = Array.from({ length: 600 }, (_, index) => `word${index}`);
  await place.write("full.md", `${words.join(" ")}\n`);
  return (await sync(place.file)).summary;
}

describe("the largest `max_tokens` that a refused chunker is told", () => {
  it.each([
    ["the model's end token", [], 511],
    ["its end token and an instruction", ['document_instruction: "passage: "'], 506],
  ] as const)("leaves room for %s, and no more", async (_, more, largest) => {
    const embedder = ["type: qwen3", "model: tiny", `path: ${tiny}`, "device: cpu", ...more];
    const { error } = await runWith(embedder, 512);
    expect(error?.code).toBe("config.invalid");
    expect(error?.message).toContain(`at most ${largest},`);
    const fits = await runWith(embedder, largest);
    expect(fits).toMatchObject({ status: "succeeded", failures: [] });
    expect(fits.chunks.embedded).toBeGreaterThan(3);
  });

  it("leaves room for two special tokens of a server's model with another vocabulary", async () => {
    const server = await startEmbeddingServer({ dimension: 32 });
    onTestFinished(() => server.close());
    const embedder = ["type: openai", "model: other", `url: ${server.url}`, "context_tokens: 512"];
    expect((await runWith(embedder, 512)).error?.message).toContain("at most 510,");
    expect((await runWith(embedder, 510)).status).toBe("succeeded");
  });
});
