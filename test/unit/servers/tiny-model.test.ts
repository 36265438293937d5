import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ggufFile } from "../../../scripts/servers/gguf.ts";
import { readOnnxWeights } from "../../../scripts/servers/onnx-weights.ts";
import { writeTinyModel } from "../../../scripts/servers/tiny-model.ts";

const graph = "test/fixtures/tiny-qwen3/onnx/model_kv_gqa.onnx";

test("a file begins with magic, version and counts, and each tensor at a multiple of 32 bytes", () => {
  const numbers = Float32Array.of(1, 2, 3);
  const file = ggufFile({ answer: { uint32: 42 }, names: { strings: ["é", ""] } }, [
    { name: "a", dimensions: [1, 3], numbers },
    { name: "b", dimensions: [3], numbers },
  ]);
  expect(file.subarray(0, 4).toString()).toBe("GGUF");
  expect([file.readUInt32LE(4), file.readBigUInt64LE(8), file.readBigUInt64LE(16)]).toEqual([
    3,
    2n,
    2n,
  ]);
  expect(file.length % 32).toBe(0);
  for (const start of [file.length - 64, file.length - 32]) {
    expect([0, 4, 8, 12].map((at) => file.readFloatLE(start + at))).toEqual([1, 2, 3, 0]);
  }
});

test("the weights of a graph and of the file beside it are read with their shapes", async () => {
  const weights = await readOnnxWeights(graph);
  // One in the graph itself, one beside it.
  expect(weights.get("layers.0.self_attn.q_norm.weight")?.dimensions).toEqual([16]);
  const table = weights.get("embed_tokens.weight");
  expect(table?.dimensions).toEqual([2259, 64]);
  expect(table?.numbers.every((number) => Number.isFinite(number))).toBe(true);
});

test("the tiny model has each of the fixture's weights, and is the same every time", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-tiny-model-"));
  const [first, second] = ["first", "second"].map((name) => join(folder.path, name));
  await writeTinyModel(first ?? "");
  await writeTinyModel(second ?? "");
  const file = await readFile(first ?? "");
  expect(file.equals(await readFile(second ?? ""))).toBe(true);
  expect(file.length).toBeLessThan(3_000_000);
  // A matrix is turned: what was the first column is the first row.
  const weight = (await readOnnxWeights(graph)).get("layers.1.mlp.down_proj.weight");
  const [rows = 0, columns = 0] = weight?.dimensions ?? [];
  const column = Float32Array.from({ length: rows }, (_, row) => {
    return weight?.numbers[row * columns] ?? NaN;
  });
  expect(file.includes(Buffer.from(column.buffer))).toBe(true);
});
