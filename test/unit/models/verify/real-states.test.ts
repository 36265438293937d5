import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { knownModel } from "../../../../src/models/index.ts";
import { type Check, wrong } from "../../../../src/models/verify/check.ts";
import { findMistakes } from "../../../../src/models/verify/fingerprints.ts";
import { toleranceOf } from "../../../../src/models/verify/tolerance.ts";
import { Witness } from "../../../../src/models/verify/witness.ts";

const folder = new URL("../../../fixtures/tiny-qwen3/", import.meta.url);
const tokenizer = Tokenizer.fromFile(fileURLToPath(new URL("tokenizer.json", folder)));
const session = await InferenceSession.create(fileURLToPath(new URL("onnx/model.onnx", folder)));
const id = "Qwen/Qwen3-Embedding-0.6B";
const hidden = 64;
const endId = 2256;

interface Mistakes {
  readonly pooling?: "mean" | "first";
  readonly ending?: "none" | "twice";
  readonly padding?: "read-right" | "read-left";
}

/** The states of all tokens, by a transformer of the true architecture. */
async function statesOf(ids: readonly number[]): Promise<readonly Float32Array[]> {
  const shape = [1, ids.length];
  const tensor = (values: readonly number[]): Tensor =>
    new Tensor("int64", BigInt64Array.from(values.map(BigInt)), shape);
  const { last_hidden_state: states } = await session.run(
    {
      input_ids: tensor(ids),
      attention_mask: tensor(ids.map(() => 1)),
      position_ids: tensor([...ids.keys()]),
    },
    ["last_hidden_state"],
  );
  const numbers = Float32Array.from(states?.data as Float32Array);
  return ids.map((_, at) => numbers.slice(at * hidden, (at + 1) * hidden));
}

async function vectorsOf(texts: readonly string[], mistakes: Mistakes): Promise<Float32Array[]> {
  const rows: (readonly number[])[] = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text)).getIds();
    const all = [...ids].map(Number);
    rows.push(
      mistakes.ending === "none"
        ? all.slice(0, -1)
        : mistakes.ending === "twice"
          ? [...all, endId]
          : all,
    );
  }
  const longest = Math.max(...rows.map((row) => row.length));
  const vectors: Float32Array[] = [];
  for (const row of rows) {
    const pads = Array.from({ length: longest - row.length }, () => endId);
    const whole =
      mistakes.padding === "read-right"
        ? [...row, ...pads]
        : mistakes.padding === "read-left"
          ? [...pads, ...row]
          : row;
    const states = await statesOf(whole);
    vectors.push(pool(states, mistakes));
  }
  return vectors;
}

function pool(states: readonly Float32Array[], { pooling }: Mistakes): Float32Array {
  const at = pooling === "first" ? 0 : -1;
  if (pooling !== "mean") return states.at(at) ?? new Float32Array(hidden);
  return Float32Array.from({ length: hidden }, (_, index) =>
    states.reduce((sum, state) => sum + (state[index] ?? 0), 0),
  );
}

function embedderWith(mistakes: Mistakes): Embedder {
  return {
    open: () =>
      Promise.resolve({
        id,
        dimensions: { native: hidden, min: 32, matryoshka: true },
        contextTokens: 512,
        prompts: { document: "", query: "" },
      }),
    tokenizer: {
      id: "tiny",
      exact: true,
      countBatch: (texts) =>
        Promise.all(texts.map(async (text) => (await tokenizer.encode(text)).getIds().length - 1)),
      pieces: () => Promise.reject(new Error("nobody asks for pieces")),
    },
    limits: { textsPerCall: 32, tokensPerCall: 100_000, concurrentCalls: 1 },
    embed: async (texts) => ({ vectors: await vectorsOf(texts, mistakes) }),
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function found(mistakes: Mistakes, check: string): Promise<readonly string[]> {
  const witness = await Witness.call(embedderWith(mistakes), new AbortController().signal);
  const checks: readonly Check[] = [wrong(check, "of the test", [])];
  const findings = await findMistakes(witness, knownModel(id), checks, toleranceOf("fp32"));
  return findings.map(({ mistake, certain }) => (certain ? mistake : `probably ${mistake}`));
}

describe("what betrays a mistake betrays it in a transformer of Qwen3's architecture, too:", () => {
  it.each<[string, Mistakes, string, readonly string[]]>([
    ["the mean of all states", { pooling: "mean" }, "published cosines", ["probably mean-pooling"]],
    ["the first state", { pooling: "first" }, "published cosines", ["first-token-pooling"]],
    ["no end token", { ending: "none" }, "published cosines", ["missing-end-token"]],
    [
      "the mean, and no end token",
      { ending: "none", pooling: "mean" },
      "published cosines",
      ["missing-end-token", "probably mean-pooling"],
    ],
    ["padding read on the right", { padding: "read-right" }, "padding", ["padding-without-mask"]],
    ["padding read on the left", { padding: "read-left" }, "padding", ["padding-without-mask"]],
    ["nothing, when nothing is wrong in a batch", {}, "padding", []],
  ])("%s", async (_, mistakes, check, expected) => {
    expect(await found(mistakes, check)).toEqual(expected);
  });

  it.each([{}, { ending: "twice" }] as const)("nothing, with %o", async (mistakes) => {
    expect(await found(mistakes, "published cosines")).toEqual([]);
  });
});
