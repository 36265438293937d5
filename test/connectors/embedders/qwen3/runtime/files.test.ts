import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import {
  type GraphModel,
  Runtime,
} from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { noAbort, optionsOf, rows, tinyFolder, tinyModel } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the model with something changed, in a folder of its own. */
function copyOf(change: (graph: Buffer, weights: Buffer) => readonly [Buffer, Buffer]): GraphModel {
  const copy = mkdtempSync(join(folder, "model-"));
  cpSync(fileURLToPath(new URL("onnx/", tinyFolder)), copy, { recursive: true });
  const [graph, weights] = ["model.onnx", "model.onnx_data"].map((name) => join(copy, name));
  const [changedGraph, changedWeights] = change(readFileSync(graph!), readFileSync(weights!));
  writeFileSync(graph!, changedGraph);
  writeFileSync(weights!, changedWeights);
  return { ...tinyModel(), file: graph! };
}

/** The graph with a name in place of another of the same length. */
function renamed(graph: Buffer, from: string, to: string): Buffer {
  expect(to).toHaveLength(from.length);
  return Buffer.from(graph.toString("latin1").replaceAll(from, to), "latin1");
}

async function refusal(model: GraphModel): Promise<unknown> {
  return Runtime.open(optionsOf(model), noAbort).then(
    (runtime) => runtime.close(),
    (reason: unknown) => reason,
  );
}

describe("a file", () => {
  const wrong: readonly (readonly [string, () => GraphModel])[] = [
    ["that is not there", () => ({ ...tinyModel(), file: join(folder, "none.onnx") })],
    ["that is cut off", () => copyOf((graph, weights) => [graph.subarray(0, 9000), weights])],
    ["that is no ONNX", () => copyOf((_, weights) => [Buffer.from("<html>404</html>"), weights])],
    [
      "whose weights are cut off",
      () => copyOf((graph, weights) => [graph, weights.subarray(0, 999)]),
    ],
    [
      "that gives no states of tokens",
      () =>
        copyOf((graph, weights) => [
          renamed(graph, "last_hidden_state", "classifier_logits"),
          weights,
        ]),
    ],
    [
      "that wants an input nobody knows",
      () => copyOf((graph, weights) => [renamed(graph, "position_ids", "type_of_ids_"), weights]),
    ],
    ["of another dimension", () => ({ ...tinyModel(), hidden: 128 })],
    ["of more layers", () => ({ ...tinyModel("model_kv"), layers: 3 })],
  ];
  it.each(wrong)("%s is refused by its name", async (_, make) => {
    const model = make();
    expect(await refusal(model)).toMatchObject({
      code: "embed.model",
      scope: "component",
      message: expect.stringContaining(model.file),
    });
  });

  it("that is damaged is refused with `auto` too, not the devices", async () => {
    const model = copyOf((graph, weights) => [graph.subarray(0, 9000), weights]);
    const opening = Runtime.open({ ...optionsOf(model), device: "auto" }, noAbort);
    await expect(opening).rejects.toMatchObject({ code: "embed.model" });
  });

  it("whose weights are NaN is refused by the self-test", async () => {
    const model = copyOf((graph, weights) => [graph, Buffer.alloc(weights.length, 0xff)]);
    expect(await refusal(model)).toMatchObject({
      code: "embed.device",
      message: expect.stringMatching(/not finite \(NaN\)/),
    });
  });

  it("of another tokenizer is refused at the first id that it does not know", async () => {
    const runtime = await Runtime.open(optionsOf(), noAbort);
    const call = runtime.run([rows[0]!, Int32Array.of(5, 2259, 7)], noAbort);
    await expect(call).rejects.toMatchObject({
      code: "embed.model",
      message: expect.stringContaining("the id 2259"),
    });
    await runtime.close();
  });
});
