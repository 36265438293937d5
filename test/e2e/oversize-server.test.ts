import { describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddingServer, startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { makePlace, type Place } from "./support/place.ts";
import { readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const long = `${Array.from({ length: 60 }, (_, index) => `Sentence ${index} has words.`).join(" ")}\n`;

/** A long text and a short one, and a model on a server that reads 100 tokens. */
async function placed(
  ...more: readonly string[]
): Promise<{ server: EmbeddingServer; place: Place }> {
  const server = await startEmbeddingServer({ dimension: 64 });
  onTestFinished(() => server.close());
  const settings = ["type: openai", "model: other", `url: ${server.url}`, "context_tokens: 100"];
  const chunker = "chunker: { type: whole, max_tokens: 8000 }";
  const place = await makePlace({ embedder: [...settings, ...more], more: [chunker] });
  await place.write("long.md", long);
  await place.write("short.md", "Two words.\n");
  return { server, place };
}

async function partsIn(place: Place): Promise<Record<string, unknown>> {
  const records = [...(await readIndex(place.index, "search")).values()];
  return Object.fromEntries(
    records.map(({ document, metadata }) => [
      document,
      (JSON.parse(String(metadata)) as Record<string, unknown>)["embedding_parts"],
    ]),
  );
}

describe("a text that is longer than the model of a server reads", () => {
  it("is embedded in parts with `oversize: split`, and its record says so, also from the cache", async () => {
    const { server, place } = await placed("oversize: split");
    expect((await sync(place.file)).summary).toMatchObject({ status: "succeeded", failures: [] });
    await place.write("copy.md", long);
    const asked = server.stats().texts;
    const { summary } = await sync(place.file);
    expect(summary.chunks).toMatchObject({ embedded: 0, cached: 1 });
    // The endpoint's probe and the three of the run.
    expect(server.stats().texts - asked).toBe(4);
    const parts = await partsIn(place);
    expect(parts["docs:long.md"]).toBeGreaterThan(3);
    expect(parts["docs:copy.md"]).toBe(parts["docs:long.md"]);
    expect(parts["docs:short.md"]).toBeUndefined();
  });

  it("is refused before the run without, with what fits", async () => {
    const { place } = await placed();
    const { error } = (await sync(place.file)).summary;
    expect(error).toMatchObject({ code: "config.invalid" });
    expect(error?.message).toContain("at most 98,");
  });

  it("makes dead letters of its documents alone where the server takes less than it seems, and the rest is stored", async () => {
    const { server, place } = await placed("oversize: split");
    server.behave(({ texts }) => (texts.some((text) => text.length > 150) ? tooLong : undefined));
    const between = Array.from({ length: 6 }, (_, index) => `Sentence ${index} that has words.`);
    await place.write("between.md", `${between.join(" ")}\n`);
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({ status: "partial", documents: { added: 2, failed: 1 } });
    expect(summary.failures).toMatchObject([
      { document: "docs:between.md", code: "embed.too-long", stage: "embed" },
    ]);
    expect(summary.failures[0]?.message).toContain("Set `context_tokens`");
    expect((await partsIn(place))["docs:long.md"]).toBeGreaterThan(3);
  });
});

const tooLong = {
  kind: "status",
  status: 400,
  body: '{"message":"This model\'s maximum context length is 40 tokens."}',
} as const;
