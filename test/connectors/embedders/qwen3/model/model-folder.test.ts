import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type ModelFolder,
  type ModelPlace,
  openModelFolder,
} from "../../../../../connectors/embedders/qwen3/model/model-folder.ts";
import { readOnnxFile } from "../../../../../connectors/embedders/qwen3/model/onnx-file.ts";
import { isFault } from "../../../../../src/faults/index.ts";

const fixture = "test/fixtures/tiny-qwen3";
const signal = new AbortController().signal;

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-model-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(fixture, folder, { recursive: true });
  return folder;
}

async function open(folder: string, place: Partial<ModelPlace> = {}): Promise<ModelFolder> {
  const usual = { name: "tiny", file: undefined, native: undefined, contextTokens: Infinity };
  const opened = await openModelFolder({ ...usual, folder, ...place }, signal);
  onTestFinished(() => opened.encoder.close());
  return opened;
}

/** The message with which a folder is refused. */
async function refusal(folder: string, place: Partial<ModelPlace> = {}): Promise<string> {
  const error: unknown = await open(folder, place).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isFault(error)) throw new TypeError("The folder was not refused.", { cause: error });
  expect(["embed.model", "config.invalid"]).toContain(error.code);
  expect(error.retry).toBe("never");
  expect(error.scope).toBe("component");
  return error.message;
}

/** Replaces a text in a file by another of the same length. */
function patch(path: string, from: string, to: string): void {
  const bytes = readFileSync(path);
  expect(to.length).toBe(from.length);
  const text = bytes.toString("latin1");
  expect(text).toContain(from);
  writeFileSync(path, Buffer.from(text.replaceAll(from, to), "latin1"));
}

/** A field of a protobuf message that is a text or another message, as latin1. */
function field(number: number, content: string): string {
  const varint = (value: number): string =>
    value < 128
      ? String.fromCharCode(value)
      : String.fromCharCode((value % 128) + 128) + varint(Math.floor(value / 128));
  return varint(number * 8 + 2) + varint(content.length) + content;
}

function patchJson(path: string, change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

describe("a model's folder", () => {
  it("tells shape, context and special tokens", async () => {
    const { graph, before, after, contextTokens } = await open(fixture);
    expect(graph).toEqual({
      file: join(fixture, "onnx/model.onnx"),
      hidden: 64,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      padId: 2256,
      vocabulary: 2259,
    });
    expect({ before, after, contextTokens }).toEqual({
      before: [],
      after: [2256],
      contextTokens: 512,
    });
  });

  it("takes the end token of the vocabulary when the tokenizer has no post-processor, once", async () => {
    const folder = copy();
    patchJson(join(folder, "tokenizer.json"), (json) => {
      json["post_processor"] = null;
    });
    expect((await open(folder)).after).toEqual([2256]);
  });

  it("takes the exactest graph that is there, and a named one", async () => {
    const folder = copy();
    unlinkSync(join(folder, "onnx/model.onnx"));
    expect((await open(folder)).graph.file).toBe(join(folder, "onnx/model_fp16.onnx"));
    const named = await open(folder, { file: "onnx/model_q8.onnx" });
    expect(named.graph.file).toBe(join(folder, "onnx/model_q8.onnx"));
  });

  it("never takes a plain 8-bit graph by itself", async () => {
    const folder = copy();
    const onnx = join(folder, "onnx");
    cpSync(join(onnx, "model_q8.onnx"), join(folder, "model_quantized.onnx"));
    rmSync(onnx, { recursive: true });
    expect(await refusal(folder)).toMatch(/only `model_quantized\.onnx`.*`file`/s);
  });

  it("reads no more context than the model's card allows", async () => {
    expect((await open(fixture, { contextTokens: 100 })).contextTokens).toBe(100);
    expect((await open(fixture, { contextTokens: 32_768 })).contextTokens).toBe(512);
  });
});

describe("the content of a model's folder", () => {
  it("keeps its name in another folder, and gets another for any other graph, weights or tokenizer", async () => {
    const names = new Set<string>();
    const { revision } = await open(fixture);
    expect((await open(copy())).revision).toBe(revision);
    names.add(revision);
    for (const file of ["onnx/model_fp16.onnx", "onnx/model_q8.onnx", "onnx/model_kv.onnx"]) {
      names.add((await open(fixture, { file })).revision);
    }
    const weights = copy();
    const data = readFileSync(join(weights, "onnx/model.onnx_data"));
    data[0] = (data[0] ?? 0) ^ 1;
    writeFileSync(join(weights, "onnx/model.onnx_data"), data);
    names.add((await open(weights)).revision);
    const tokenizer = copy();
    appendFileSync(join(tokenizer, "tokenizer.json"), "\n");
    names.add((await open(tokenizer)).revision);
    expect(names.size).toBe(6);
  });

  it("does not depend on settings that change no vector", async () => {
    const folder = copy();
    patchJson(join(folder, "config.json"), (json) => {
      json["transformers_version"] = "6.0.0";
    });
    expect((await open(folder)).revision).toBe((await open(fixture)).revision);
  });
});

describe("a model's folder is refused, by the name of the file and with what to do,", () => {
  const cases: Record<string, [change: (folder: string) => void, message: RegExp]> = {
    "without config.json": [
      (folder) => unlinkSync(join(folder, "config.json")),
      /config\.json` cannot be read.*models pull/s,
    ],
    "with a config.json that is cut off": [
      (folder) => truncateSync(join(folder, "config.json"), 100),
      /config\.json` is not JSON/,
    ],
    "with the config.json of something else": [
      (folder) => writeFileSync(join(folder, "config.json"), '{"hidden_size":0}'),
      /config\.json`.*`hidden_size`/s,
    ],
    "without tokenizer.json": [
      (folder) => unlinkSync(join(folder, "tokenizer.json")),
      /tokenizer\.json` cannot be read.*models pull/s,
    ],
    "with a tokenizer.json that is cut off": [
      (folder) => truncateSync(join(folder, "tokenizer.json"), 9_000),
      /tokenizer\.json` cannot be read/,
    ],
    "with the tokenizer of a larger vocabulary": [
      (folder) =>
        patchJson(join(folder, "config.json"), (json) => {
          json["vocab_size"] = 2_258;
        }),
      /another model: its ids go up to 2258, the model knows those below 2258/,
    ],
    "with a tokenizer that names no end token": [
      (folder) =>
        patchJson(join(folder, "tokenizer.json"), (json) => {
          json["post_processor"] = null;
          json["added_tokens"] = [];
        }),
      /says nothing of a token that ends a text/,
    ],
    "without a graph": [
      (folder) => rmSync(join(folder, "onnx"), { recursive: true }),
      /no `model\.onnx`.*models pull/s,
    ],
    "with an empty graph": [
      (folder) => truncateSync(join(folder, "onnx/model.onnx"), 0),
      /model\.onnx` is empty/,
    ],
    "with a graph that is cut off": [
      (folder) => truncateSync(join(folder, "onnx/model.onnx"), 9_000),
      /model\.onnx` is .*cut off/,
    ],
    "with a pointer of Git LFS in place of the graph": [
      (folder) =>
        writeFileSync(
          join(folder, "onnx/model.onnx"),
          "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        ),
      /pointer of Git LFS/,
    ],
    "with a page in place of the graph": [
      (folder) => writeFileSync(join(folder, "onnx/model.onnx"), "<!doctype html><html></html>"),
      /is a page/,
    ],
    "with something else in place of the graph": [
      (folder) => writeFileSync(join(folder, "onnx/model.onnx"), "PK\u0003\u0004 a zip file"),
      /not an ONNX file/,
    ],
    "without the weights": [
      (folder) => unlinkSync(join(folder, "onnx/model.onnx_data")),
      /model\.onnx_data`.*missing/s,
    ],
    "with weights that are cut off": [
      (folder) => truncateSync(join(folder, "onnx/model.onnx_data"), 500_000),
      /model\.onnx_data` are cut off.*500000/s,
    ],
    "with weights outside the folder": [
      (folder) => patch(join(folder, "onnx/model.onnx"), "model.onnx_data", "../config.json\0"),
      /outside its folder/,
    ],
    "with weights above the folder": [
      (folder) => patch(join(folder, "onnx/model.onnx"), "model.onnx_data", "../config..json"),
      /outside its folder/,
    ],
    "with weights at an absolute path": [
      (folder) => patch(join(folder, "onnx/model.onnx"), "model.onnx_data", "/etc/passwd0000"),
      /outside its folder/,
    ],
  };
  for (const [what, [change, message]] of Object.entries(cases)) {
    it(what, async () => {
      const folder = copy();
      change(folder);
      expect(await refusal(folder)).toMatch(message);
    });
  }

  it("when it is not there", async () => {
    expect(await refusal("/nowhere/at-all")).toMatch(/is not in.*models pull tiny.*`path`/s);
  });

  it("when it holds another model than the name says", async () => {
    expect(await refusal(fixture, { native: 1024 })).toMatch(/64 numbers.*1024/s);
  });

  const tensor =
    field(8, "weights") + field(13, field(1, "location") + field(2, "../../elsewhere"));
  const node = field(5, field(5, tensor));
  it.each([
    ["a function", field(25, field(7, node))],
    ["the first graph of a training", field(20, field(1, field(1, node)))],
    ["a sparse initializer", field(7, field(15, field(1, tensor)))],
    ["the places of a sparse attribute", field(7, field(1, field(5, field(22, field(2, tensor)))))],
    ["the default of a function's attribute", field(25, field(11, field(10, tensor)))],
  ])("when %s names weights outside of it", async (_, more) => {
    const folder = copy();
    appendFileSync(join(folder, "onnx/model.onnx"), Buffer.from(more, "latin1"));
    expect(await refusal(folder)).toMatch(/outside its folder/);
  });

  it("when the named file is outside of it, or missing", async () => {
    expect(await refusal(fixture, { file: "../other.onnx" })).toMatch(/not inside/);
    expect(await refusal(fixture, { file: "onnx/none.onnx" })).toMatch(/cannot be opened/);
  });
});

describe("reading an ONNX file", () => {
  it("finds the place of every tensor", async () => {
    const { externals } = await readOnnxFile(`${fixture}/onnx/model.onnx`);
    const bytes = externals.reduce((sum, { length }) => sum + (length ?? 0), 0);
    expect(externals.length).toBeGreaterThan(10);
    expect(bytes).toBeLessThanOrEqual(907_264);
    expect(bytes).toBeGreaterThan(800_000);
    expect(new Set(externals.map(({ location }) => location))).toEqual(
      new Set(["model.onnx_data"]),
    );
    expect((await readOnnxFile(`${fixture}/onnx/model_q8.onnx`)).externals).toEqual([]);
  });

  it("ends with a fault or with a graph, whatever the bytes", async () => {
    const folder = copy();
    const path = join(folder, "any.onnx");
    const whole = readFileSync(`${fixture}/onnx/model_kv_gqa.onnx`);
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    const damaged = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(whole.length));
    await fc.assert(
      fc.asyncProperty(damaged, async ([changes, length]) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of changes) bytes[at] = byte;
        writeFileSync(path, bytes.subarray(0, length));
        const read = readOnnxFile(path);
        await read.catch((error: unknown) =>
          expect(isFault(error) && error.code).toBe("embed.model"),
        );
      }),
      { numRuns: 150 },
    );
  });
});
