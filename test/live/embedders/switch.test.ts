import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { closePipeline, run, type RunResult, verify } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import { cosine, farthest, goldens, tinyFolder } from "../../connectors/embedders/qwen3/harness.ts";
import { markdown, randomFrom } from "../../e2e/support/prose.ts";
import { idsIn, readIndex } from "../../e2e/support/stored-index.ts";
import { describeLive } from "../support/live-servers.ts";
import { tinyModel } from "./tiny-server.ts";

type EmbedderType = "lexical" | "qwen3" | "openai";

const ready = resolve("pipelines/switch.yaml");
const { min_cosine: minCosine, max_abs_diff: maxDifference } = goldens.tolerance.fp32;
const pages = 30;

/** The three lines of each embedder: those that hold, and those that stand below as comments. */
function linesOf(text: string): Readonly<Record<EmbedderType, readonly string[]>> {
  const lines = text.split("\n");
  const linesAt = (type: EmbedderType): readonly string[] => {
    const at = lines.findIndex((line) => line.replace("# ", "") === `  type: ${type}`);
    return lines.slice(at, at + 3).map((line) => line.replace(/^ {2}# (?=\w+:)/, "  "));
  };
  return { lexical: linesAt("lexical"), qwen3: linesAt("qwen3"), openai: linesAt("openai") };
}

/** The file with the three lines of another embedder. */
function switched(text: string, type: EmbedderType): string {
  const blocks = linesOf(text);
  return text.replace(blocks.lexical.join("\n"), blocks[type].join("\n"));
}

/** A copy of the ready-made file with documents of its own, and the tiny model in place of the large one. */
class SwitchedPlace {
  readonly #folder: string;
  readonly #sets: Readonly<Record<EmbedderType, readonly string[]>>;

  constructor(folder: string, url: string) {
    this.#folder = folder;
    const model = `embedder.model=${tinyModel}`;
    this.#sets = {
      lexical: [],
      qwen3: [model, `embedder.path=${tinyFolder}`, "embedder.device=cpu"],
      // The tiny model's vocabulary is not that of its family.
      openai: [
        model,
        `embedder.url=${url}`,
        `embedder.tokenizer_file=${join(tinyFolder, "tokenizer.json")}`,
      ],
    };
  }

  get index(): string {
    return join(this.#folder, ".sluice/switch");
  }

  async fill(): Promise<void> {
    await mkdir(join(this.#folder, "docs"));
    await mkdir(join(this.#folder, "pipelines"));
    const random = randomFrom(7);
    for (let page = 0; page < pages; page += 1) {
      // Several chunks each, whose borders depend on the count of tokens. Letters are not composed.
      const text = `${markdown(random, 1 + (page % 4))}\n\nCafe\u0301 No. ${page}\n`;
      await writeFile(join(this.#folder, "docs", `page-${page}.md`), text);
    }
  }

  async sync(text: string, type: EmbedderType, collection: string): Promise<RunResult> {
    const file = join(this.#folder, "pipelines/switch.yaml");
    await writeFile(file, text);
    const set = [...this.#sets[type], "sinks.search.dimension=48", "chunker.max_tokens=96"];
    const pipeline = await loadPipeline(file, { env: { COLLECTION: collection }, set });
    try {
      const result = await run(pipeline);
      if (result.exitCode === 0) expect((await verify(pipeline)).exitCode).toBe(0);
      return result;
    } finally {
      await closePipeline(pipeline);
    }
  }
}

function expectRefused({ summary, exitCode }: RunResult, sink: string): void {
  expect(exitCode).toBe(4);
  expect(summary.error).toMatchObject({ code: "refused.space" });
  expect(summary.error?.message).toContain("Give the sink a new `collection` and run");
  expect(summary.error?.message).toContain(`\`sluice forget --sink ${sink}\``);
  expect(summary.chunks.embedded).toBe(0);
}

describeLive("llama-cpp", ({ address }) => {
  test("three lines of the ready-made file change the embedder, and no more than three", async () => {
    const text = await readFile(ready, "utf8");
    const before = text.split("\n");
    for (const type of ["qwen3", "openai"] as const) {
      const after = switched(text, type).split("\n");
      expect(after.length).toBe(before.length);
      expect(after.filter((line, at) => line !== before[at]).length).toBe(3);
      expect(after).toContain(`  type: ${type}`);
    }
  });

  test("the model in process and on a server give equal rows, words others, and no collection takes two kinds", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-switch-"));
    const place = new SwitchedPlace(folder.path, address);
    await place.fill();
    const text = await readFile(ready, "utf8");

    const own = await place.sync(switched(text, "qwen3"), "qwen3", "own");
    expect(own.summary).toMatchObject({ status: "succeeded", documents: { added: pages } });
    expectRefused(await place.sync(text, "lexical", "own"), "search");
    // Equal vectors, but only the content of the model in process is known: it is another space.
    expectRefused(await place.sync(switched(text, "openai"), "openai", "own"), "search");

    const served = await place.sync(switched(text, "openai"), "openai", "served");
    expect(served.summary).toMatchObject({ status: "succeeded", documents: { failed: 0 } });
    expectRefused(await place.sync(text, "lexical", "served"), "search");
    const words = await place.sync(text, "lexical", "words");
    expect(words.summary).toMatchObject({ status: "succeeded", documents: { failed: 0 } });

    const left = await readIndex(place.index, "own");
    const right = await readIndex(place.index, "served");
    expect(left.size).toBeGreaterThan(3 * pages);
    expect([...right.keys()]).toEqual([...left.keys()]);
    for (const [id, { vector, text: content }] of left) {
      const other = right.get(id);
      expect(other?.["text"]).toBe(content);
      expect(vector.length).toBe(48);
      // Both compute in 32 bits: each is as near to PyTorch as this, and so twice as near to the other.
      expect(cosine(vector, other?.vector ?? [])).toBeGreaterThanOrEqual(minCosine);
      expect(farthest(vector, other?.vector ?? [])).toBeLessThanOrEqual(2 * maxDifference);
    }
    const wordCount = (await idsIn(place.index, "words")).size;
    expect(wordCount).toBeGreaterThan(pages);
  }, 120_000);
});
