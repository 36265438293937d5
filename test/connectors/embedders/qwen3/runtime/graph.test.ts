import { describe, expect, it } from "vitest";
import type { GraphModel } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { readGraph } from "../../../../../connectors/embedders/qwen3/runtime/worker/graph.ts";
import { tinyModel } from "./tiny-model.ts";

type Session = Parameters<typeof readGraph>[0];
type Shape = readonly (number | string)[];

function tensor(name: string, type: string, shape: Shape): Session["inputMetadata"][number] {
  return { name, isTensor: true, type, shape } as Session["inputMetadata"][number];
}

const ids = tensor("input_ids", "int64", ["batch", "sequence"]);
const mask = tensor("attention_mask", "int64", ["batch", "sequence"]);
const states = tensor("last_hidden_state", "float32", ["batch", "sequence", 64]);
const pooled = tensor("sentence_embedding", "float32", ["batch", 64]);

function cache(layer: number, kind: string, shape: Shape = ["b", 2, "p", 16], type = "float32") {
  return tensor(`past_key_values.${layer}.${kind}`, type, shape);
}

const caches = [cache(0, "key"), cache(0, "value"), cache(1, "key"), cache(1, "value")];

function read(
  inputs: Session["inputMetadata"],
  outputs: Session["outputMetadata"] = [states],
  model: GraphModel = tinyModel(),
): ReturnType<typeof readGraph> {
  return readGraph({ inputMetadata: inputs, outputMetadata: outputs }, model);
}

describe("a graph", () => {
  it("is read by its names, with and without positions, caches and a pooled output", () => {
    expect(read([ids, mask])).toMatchObject({ output: "last_hidden_state", pooled: false });
    expect(read([ids, mask, ...caches])).toMatchObject({ inputs: { length: 6 } });
    expect(read([ids, mask], [states, pooled])).toMatchObject({
      output: "sentence_embedding",
      pooled: true,
    });
  });

  it("takes one row at a time when it says so", () => {
    expect(read([tensor("input_ids", "int64", [1, "sequence"]), mask])).toMatchObject({ rows: 1 });
    expect(read([ids, mask])).not.toHaveProperty("rows");
  });

  const refused: readonly (readonly [string, () => unknown])[] = [
    ["`token_type_ids`", () => read([ids, mask, tensor("token_type_ids", "int64", ["b", "s"])])],
    ["no input `input_ids`", () => read([mask])],
    ["`input_ids` is float32", () => read([tensor("input_ids", "float32", ["b", "s"]), mask])],
    ["`logits`", () => read([ids, mask], [tensor("logits", "float32", ["b", "s", 2259])])],
    ["gives nothing", () => read([ids, mask], [])],
    ["32 dimensions", () => read([ids], [tensor("last_hidden_state", "float32", ["b", "s", 32])])],
    ["2 axes", () => read([ids], [tensor("last_hidden_state", "float32", ["b", 64])])],
    ["is bfloat16", () => read([ids], [tensor("last_hidden_state", "bfloat16", ["b", "s", 64])])],
    ["a cache for 2 layers", () => read([ids, ...caches], [states], { ...tinyModel(), layers: 3 })],
    ["2 heads of 16", () => read([ids, ...caches], [states], { ...tinyModel(), kvHeads: 8 })],
    ["is int8", () => read([ids, cache(0, "key", ["b", 2, "p", 16], "int8")])],
    ["takes no `attention_mask`", () => read([ids], [pooled])],
    ["exactly 128 tokens", () => read([tensor("input_ids", "int64", ["b", 128])])],
    ["exactly 4 texts", () => read([tensor("input_ids", "int64", [4, "s"])])],
  ];
  it.each(refused)("is refused where it has or wants %s", (what, reading) => {
    expect(reading).toThrow(expect.objectContaining({ problem: "model" }));
    expect(reading).toThrow(what);
    expect(reading).toThrow(/^It is not an embedder that can be run here: .+\.$/);
  });
});
