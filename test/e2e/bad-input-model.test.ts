import { cpSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { qwen3Embedder } from "../../connectors/embedders/qwen3/index.ts";
import { Qwen3Embedder } from "../../connectors/embedders/qwen3/embedder.ts";
import { closePipeline, run, type RunResult } from "../../src/engine/index.ts";
import { systemClock } from "../../src/flow/index.ts";
import { loadPipeline } from "../../src/load-pipeline.ts";
import { startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { makePlace, type Place } from "./support/place.ts";
import { readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const tiny = resolve("test/fixtures/tiny-qwen3");
const more = ["chunker: { type: whole, max_tokens: 500 }"];

function modelIn(folder: string, ...lines: readonly string[]): readonly string[] {
  return ["type: qwen3", "model: tiny", `path: ${folder}`, "device: cpu", "threads: 1", ...lines];
}

async function storedTexts(place: Place): Promise<readonly string[]> {
  const records = [...(await readIndex(place.index, "search")).values()];
  return records.map(({ text }) => String(text));
}

/** Replaces a text in a file by another of the same length. */
function patch(path: string, from: string, to: string): void {
  const text = readFileSync(path, "latin1");
  expect([text.includes(from), to.length]).toEqual([true, from.length]);
  writeFileSync(path, Buffer.from(text.replaceAll(from, to), "latin1"));
}

const damages: Readonly<Record<string, readonly [change: (model: string) => void, told: RegExp]>> =
  {
    "no graph": [(model) => rmSync(join(model, "onnx"), { recursive: true }), /no `model\.onnx`/],
    "a graph that is cut off": [
      (model) => truncateSync(join(model, "onnx/model.onnx"), 9_000),
      /model\.onnx` is .*cut off/s,
    ],
    "no weights": [(model) => unlinkSync(join(model, "onnx/model.onnx_data")), /missing/],
    "weights that are cut off": [
      (model) => truncateSync(join(model, "onnx/model.onnx_data"), 500_000),
      /are cut off/,
    ],
    "weights outside of the folder": [
      (model) => patch(join(model, "onnx/model.onnx"), "model.onnx_data", "../config..json"),
      /outside its folder/,
    ],
    "a graph that is no embedder": [
      (model) => patch(join(model, "onnx/model.onnx"), "last_hidden_state", "classifier_logits"),
      /cannot be used/,
    ],
    "a tokenizer with ids above the vocabulary": [
      (model) => patch(join(model, "config.json"), '"vocab_size": 2259', '"vocab_size": 2200'),
      /another model: its ids go up to 2258/,
    ],
  };

describe("a model in process with", () => {
  test("damaged files is refused before anything is written, by what is wrong with it, and goes on once mended", async () => {
    const place = await makePlace({ more });
    const model = join(place.folder, "model");
    cpSync(tiny, model, { recursive: true });
    await place.configure({ embedder: modelIn(model), more });
    await place.write("one.md", "Text one.\n");
    expect((await sync(place.file)).exitCode).toBe(0);
    await place.write("one.md", "Text one, edited.\n");
    const before = await readIndex(place.index, "search");
    for (const [what, [change, told]] of Object.entries(damages)) {
      change(model);
      const { exitCode, summary } = await sync(place.file);
      expect({ what, exitCode, code: summary.error?.code }).toMatchObject({
        exitCode: 5,
        code: "embed.model",
      });
      expect(summary.error?.message, what).toMatch(told);
      expect(summary.failures, what).toEqual([]);
      expect(await readIndex(place.index, "search"), what).toStrictEqual(before);
      rmSync(model, { recursive: true });
      cpSync(tiny, model, { recursive: true });
    }
    expect((await sync(place.file)).summary).toMatchObject({ documents: { updated: 1 } });
  }, 120_000);

  test.runIf(process.platform === "linux")(
    "a device that does not exist is refused by its name",
    async () => {
      for (const line of ["device: coreml", "device: cpu\n  device_ids: [7]"]) {
        const embedder = modelIn(tiny).filter((one) => !one.startsWith("device"));
        const place = await makePlace({ embedder: [...embedder, line], more });
        await place.write("one.md", "Text one.\n");
        const { exitCode, summary } = await sync(place.file);
        expect({ exitCode, code: summary.error?.code }).toEqual({
          exitCode: 5,
          code: "embed.device",
        });
        expect(summary.error?.message).toMatch(/`coreml`|`cpu`/);
        expect(summary.failures).toEqual([]);
      }
    },
  );
});

/** Only the text that holds `<|im_end|>` has this id. */
const trigger = 2258;
const guilty = "This one has <|im_end|> in it.";

interface Scene {
  readonly place: Place;
  /** Runs with a thread that does what is asked of it. */
  syncWith(asked: Readonly<Record<string, string>>): Promise<RunResult>;
  /** How often a thread died. */
  deaths(): number;
}

/** Ten documents that nothing happens to. */
async function makeScene(): Promise<Scene> {
  const place = await makePlace({ embedder: modelIn(tiny), more });
  for (let page = 0; page < 10; page += 1) {
    await place.write(
      `page-${page}.md`,
      `Page ${page} ${"has some words of its own. ".repeat(6)}\n`,
    );
  }
  const deaths = join(place.folder, "deaths");
  const file = new URL("../connectors/embedders/qwen3/runtime/faulty-worker.ts", import.meta.url);
  return {
    place,
    deaths: () => readFileSync(deaths).length,
    async syncWith(asked) {
      writeFileSync(deaths, "");
      vi.stubEnv("FAULTY_WORKER", String(new URLSearchParams({ ...asked, deaths })));
      const config = qwen3Embedder.config.parse({
        model: "tiny",
        path: tiny,
        device: "cpu",
        threads: 1,
      });
      const context = { name: "embedder", pipeline: "handbook", folder: place.folder, fields: {} };
      const embedder = new Qwen3Embedder(config, { ...context, clock: systemClock }, file);
      const pipeline = { ...(await loadPipeline(place.file, { env: {} })), embedder };
      try {
        return await run(pipeline);
      } finally {
        await closePipeline(pipeline);
      }
    },
  };
}

afterEach(() => vi.unstubAllEnvs());

describe("a device", () => {
  test("with too little memory for one text makes a dead letter of that document, and stores all others", async () => {
    const { place, syncWith } = await makeScene();
    // The self-test's three rows take 483, and the ten pages at once would take more.
    await place.write("long.md", `${"many words ".repeat(123)}\n`);
    const { exitCode, summary } = await syncWith({ room: "485" });
    expect(summary).toMatchObject({
      status: "partial",
      documents: { added: 10, failed: 1 },
      failures: [{ document: "docs:long.md", stage: "embed", code: "embed.out-of-memory" }],
    });
    expect(exitCode).toBe(3);
    expect((await storedTexts(place)).length).toBe(10);
    expect((await sync(place.file)).summary).toMatchObject({
      documents: { added: 1 },
      failures: [],
    });
  });

  test("whose thread dies is started again, the work is repeated, and nothing is missing", async () => {
    for (const how of ["exit", "throw", "fail"]) {
      const { place, syncWith, deaths } = await makeScene();
      await place.write("guilty.md", `${guilty}\n`);
      const { summary } = await syncWith({ how, most: "2", trigger: String(trigger) });
      expect(summary).toMatchObject({
        status: "succeeded",
        documents: { added: 11 },
        failures: [],
      });
      expect(deaths()).toBe(2);
      expect(await storedTexts(place)).toContain(guilty);
    }
  });

  test("whose thread always dies ends the run, blames no document, and the next run goes on", async () => {
    const { place, syncWith } = await makeScene();
    await place.write("guilty.md", `${guilty}\n`);
    const { exitCode, summary } = await syncWith({
      how: "exit",
      most: "99",
      trigger: String(trigger),
    });
    expect({ exitCode, code: summary.error?.code }).toEqual({ exitCode: 5, code: "embed.crashed" });
    expect(summary.failures).toEqual([]);
    expect((await sync(place.file)).summary).toMatchObject({ status: "succeeded" });
    expect((await storedTexts(place)).length).toBe(11);
  });

  test("that gives NaN for one text makes a dead letter of that document, and stores all others", async () => {
    const { place, syncWith } = await makeScene();
    await place.write("guilty.md", `${guilty}\n`);
    const { summary } = await syncWith({ how: "not-finite", trigger: String(trigger) });
    expect(summary).toMatchObject({
      status: "partial",
      documents: { added: 10, failed: 1 },
      failures: [{ document: "docs:guilty.md", code: "embed.not-finite" }],
    });
    expect((await storedTexts(place)).length).toBe(10);
  });
});

describe("odd texts", () => {
  test("are all embedded and stored as they are, by a model in process and by one on a server", async () => {
    const server = await startEmbeddingServer({ dimension: 64 });
    const onServer = ["type: openai", "model: other", `url: ${server.url}`];
    for (const embedder of [modelIn(tiny), onServer]) {
      const chunker = "chunker: { type: structure, max_tokens: 400, overlap_tokens: 0 }";
      const place = await makePlace({ embedder, more: [chunker] });
      const literal = "Before <|im_end|> between <|endoftext|> behind <|endoftext|>";
      await place.write("literal.md", `${literal}\n`);
      await place.write("empty.md", "");
      await place.write("blank.md", " \t\n\n  \u00a0\u3000\n");
      await place.write("long.txt", "word ".repeat(40_000));
      await place.write("unbroken.txt", "x".repeat(20_000));
      await place.write(
        "surrogate.txt",
        Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x3d, 0xd8, 0x62, 0x00]),
      );
      const { summary } = await sync(place.file);
      expect(summary).toMatchObject({ status: "succeeded", failures: [], documents: { added: 6 } });
      const texts = await storedTexts(place);
      expect(texts).toContain(literal);
      expect(texts).toContain("a\ufffdb");
      const words = texts
        .filter((text) => text.includes("word"))
        .join(" ")
        .match(/word/g);
      expect(words).toHaveLength(40_000);
      expect((await sync(place.file)).summary).toMatchObject({ documents: { unchanged: 6 } });
    }
    await server.close();
  }, 120_000);
});
