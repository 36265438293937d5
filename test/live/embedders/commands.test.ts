import { resolve } from "node:path";
import { expect, test } from "vitest";
import { documents, Workplace } from "../../e2e/cli/support/workplace.ts";
import { describeLive } from "../support/live-servers.ts";
import { mostTokens } from "./tiny-server.ts";

const goldens = resolve("test/fixtures/tiny-qwen3/goldens.json");

function pipeline(url: string): string {
  return `
name: handbook
sources:
  docs: { type: files, root: docs }
chunker: { type: structure, max_tokens: 256 }
embedder:
  type: openai
  model: tiny-qwen3
  url: ${url}
  matryoshka: true
  query_instruction: "Instruct: Given a web search query, retrieve relevant passages that answer the query\\nQuery:{query}"
sinks:
  search: { type: lancedb, uri: .sluice/index, collection: handbook, dimension: 48 }
`;
}

function workplace(url: string): Promise<Workplace> {
  return Workplace.make({ "sluice.yaml": pipeline(url), ...documents(20) });
}

describeLive("llama-cpp", ({ address }) => {
  test("`doctor` tells which server it is, what it has loaded, and how long a text may be", async () => {
    await using place = await workplace(address);
    const { code, stdout } = await place.sluice("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +embedder +tiny-qwen3, dimension 64/m);
    expect(stdout).toContain(
      `\`${address}\` is llama.cpp, texts of up to ${mostTokens} tokens. It answers with \`tiny-qwen3.gguf\``,
    );
  });

  test("`models verify` proves every vector of PyTorch, in 32 bits", async () => {
    await using place = await workplace(address);
    const args = ["sluice.yaml", "--golden", goldens, "--precision", "fp32"] as const;
    const human = await place.sluice("models", "verify", ...args);
    expect([human.code, human.stderr]).toEqual([0, ""]);
    expect(human.stdout).toMatch(/^ok +golden vectors: 32 of 32 texts/m);
    expect(human.stdout).not.toContain("FAIL");
  });

  test("`models verify` refuses a name that the model does not have, which the server takes", async () => {
    await using place = await workplace(address);
    const set = ["--set", "embedder.model=Qwen/Qwen3-Embedding-0.6B"];
    const { code, stderr } = await place.sluice("models", "verify", "sluice.yaml", ...set);
    expect(code).not.toBe(0);
    expect(stderr).toContain("64 numbers where 1024 are expected");
  });

  test("chunks that the server would refuse are refused at the start, with the longest that fits", async () => {
    await using place = await workplace(address);
    const set = ["--set", `chunker.max_tokens=${mostTokens + 1}`];
    const { code, stderr } = await place.sluice("run", "sluice.yaml", ...set);
    expect(code).toBe(2);
    expect(stderr).toContain(`at most ${mostTokens - 2}`);
  });

  test("`run` fills the store, finds nothing to do the second time, and `verify` and `query` agree", async () => {
    await using place = await workplace(address);
    const first = await place.sluice("run", "--json");
    expect(first.code).toBe(0);
    expect(first.json()).toMatchObject({
      documents: { added: 20, failed: 0 },
      chunks: { total: 20, embedded: 20 },
      sinks: { search: { upserted: 20, failed: 0 } },
    });
    const second = await place.sluice("run", "--json");
    expect(second.json()).toMatchObject({ documents: { unchanged: 20 }, chunks: { embedded: 0 } });
    const verified = await place.sluice("verify", "--json");
    expect(verified.code).toBe(0);
    const query = await place.sluice("query", "This page tells of topic7.", "--json");
    expect(query.code).toBe(0);
    // The weights are random, and so is what is near.
    expect(query.json<{ hits: readonly unknown[] }>().hits).toHaveLength(5);
  });
});
