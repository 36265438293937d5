import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { installServer } from "../../../scripts/servers/install-server.ts";
import { llamaCpp, llamaCppWith } from "../../../scripts/servers/llama-cpp.ts";
import { RunningServer } from "../../../scripts/servers/running-server.ts";
import type { TinyModelMistakes } from "../../../scripts/servers/tiny-model.ts";
import { faultOf } from "../../connectors/embedders/openai/harness.ts";
import { signal, tinyFolder } from "../../connectors/embedders/qwen3/harness.ts";
import { documents, Workplace } from "../../e2e/cli/support/workplace.ts";
import { readIndex } from "../../e2e/support/stored-index.ts";
import { describeLive } from "../support/live-servers.ts";
import { servedBy, tinyModel } from "./tiny-server.ts";

const goldens = resolve("test/fixtures/tiny-qwen3/goldens.json");
const tokenizerFile = join(tinyFolder, "tokenizer.json");

/** The same model from a file that somebody converted wrongly. */
async function serverWith(mistakes: TinyModelMistakes): Promise<RunningServer> {
  return RunningServer.start(llamaCppWith(mistakes), await installServer(llamaCpp));
}

function pipeline(model: string): string {
  return `
name: handbook
sources:
  docs: { type: files, root: docs }
chunker: { type: structure, max_tokens: 256 }
embedder:
  type: openai
  model: ${model}
  url: \${URL}
  native_dimension: 64
  matryoshka: true
  query_instruction: "Instruct: Given a web search query, retrieve relevant passages that answer the query\\nQuery:{query}"
  tokenizer_file: ${JSON.stringify(tokenizerFile)}
sinks:
  search: { type: lancedb, uri: index, collection: handbook, dimension: 48 }
`;
}

function workplace(url: string, model = "tiny-qwen3"): Promise<Workplace> {
  return Workplace.make({ "sluice.yaml": pipeline(model), ...documents(6) }, { URL: url });
}

const wrong = [
  ["no end token", { end: null }, "missing-end-token"],
  ["the end token of chats", { end: "<|im_end|>" }, "im-end-in-place-of-eos"],
  ["the mean of all tokens", { pooling: "mean" }, "mean-pooling"],
] as const;

describeLive("llama-cpp", ({ address }) => {
  describe.each(wrong)("a server that gives vectors with %s", (_, mistakes, name) => {
    test("fails `models verify`, which names the mistake", async () => {
      await using server = await serverWith(mistakes);
      await using place = await workplace(server.address);
      const args = ["sluice.yaml", "--golden", goldens, "--precision", "fp32"] as const;
      const { code, stdout } = await place.sluice("models", "verify", ...args);
      expect(code).toBe(4);
      expect(stdout).toMatch(/^FAIL +golden vectors/m);
      expect(stdout).toContain(`${name}: `);
    });

    test("is refused beside one that gives the right vectors, by its address", async () => {
      await using server = await serverWith(mistakes);
      const embedder = servedBy([address, server.address]);
      const fault = await faultOf(embedder.open(signal));
      expect(fault).toMatchObject({ code: "refused.probe", retry: "never" });
      expect(fault.message).toContain(`at \`${server.address}\` gives another vector`);
    });
  });

  test("a wrong server is refused where the right one filled the collection, and nothing is written", async () => {
    await using server = await serverWith({ end: null });
    await using place = await workplace(address);
    expect((await place.sluice("run")).code).toBe(0);
    const index = join(place.folder, "index");
    const before = await readIndex(index, "handbook");
    await place.write("docs/new.md", "# New\n\nA page that the wrong server must not embed.\n");
    const set = ["--set", `embedder.url=${server.address}`];
    const { code, stderr } = await place.sluice("run", "sluice.yaml", ...set);
    expect(code).toBe(4);
    expect(stderr).toContain("refused.probe");
    expect(await readIndex(index, "handbook")).toEqual(before);
  });

  test("an end token that is missing is a warning of `doctor`, and of no other server", async () => {
    await using server = await serverWith({ end: null });
    for (const [url, count] of [
      [server.address, 1],
      [address, 0],
    ] as const) {
      await using place = await workplace(url, tinyModel);
      const { stdout } = await place.sluice("doctor");
      expect(stdout.split("tokenizer.ggml.add_eos_token").length - 1).toBe(count);
    }
  });
});
