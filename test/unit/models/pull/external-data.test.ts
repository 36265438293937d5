import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { externalFiles } from "../../../../src/models/pull/external-data.ts";
import { modelFiles, PullPlace, repository } from "../support/pull-place.ts";
import { startStubHub } from "../support/stub-hub.ts";

const tiny = new URL("../../../fixtures/tiny-qwen3/onnx/", import.meta.url);
const { signal } = new AbortController();

/** Bytes of a graph that names these files, far apart. */
function graphNaming(names: readonly string[], apart: number): Buffer {
  const parts = names.flatMap((name) => {
    const length = Buffer.byteLength(name);
    const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
    const head = Buffer.from("\n\u0008location\u0012", "latin1");
    return [Buffer.alloc(apart, 7), head, Buffer.from(size), Buffer.from(name)];
  });
  return Buffer.concat(parts);
}

async function namesIn(graph: Buffer, path = "onnx/model.onnx"): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-graph-"));
  try {
    const file = join(folder, "graph");
    await writeFile(file, graph);
    return [...(await externalFiles(file, path, signal))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the files that a graph names", () => {
  it.each([
    ["model.onnx", ["onnx/model.onnx_data"]],
    ["model_pooled.onnx", ["onnx/model.onnx_data"]],
    ["model_kv_gqa_fp16.onnx", ["onnx/model_fp16.onnx_data"]],
    ["model_q8.onnx", []],
  ])("are found in the tiny model's %s", async (name, expected) => {
    expect(await namesIn(await readFile(new URL(name, tiny)), `onnx/${name}`)).toEqual(expected);
  });

  it("are found wherever they stand in a large graph", async () => {
    const names = ["model.embed.weight", "w".repeat(300), "c"];
    for (const apart of [1024 * 1024 - 5, 1024 * 1024 - 12, 1024 * 1024 + 1]) {
      const found = await namesIn(graphNaming(names, apart), "model.onnx");
      expect(found.toSorted()).toEqual(names.toSorted());
    }
  });

  it("are none that lie outside the model, and nothing that is no name", async () => {
    const strange = ["../../outside", "/etc/passwd", "a\u0000b"];
    expect(await namesIn(graphNaming([...strange, "../beside"], 10))).toEqual(["beside"]);
    expect(await namesIn(graphNaming(["cut off"], 10).subarray(0, -2))).toEqual([]);
  });

  it("are pulled with it, whatever they are called", async () => {
    const files = {
      ...modelFiles(),
      "onnx/model.onnx": graphNaming(["model.onnx_data", "layer.0.weight", "not-there"], 2_000),
      "onnx/layer.0.weight": Buffer.alloc(10_000, 1),
      "onnx/layer.1.weight": Buffer.alloc(10_000, 2),
    };
    await using hub = await startStubHub(repository, files);
    await using place = await PullPlace.make();
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 7 });
    expect(await readFile(join(place.folder, "onnx/layer.0.weight"))).toHaveLength(10_000);
    expect(place.chosen).not.toContain("onnx/layer.1.weight");
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 0 });
    await writeFile(join(place.folder, "onnx/layer.0.weight"), Buffer.alloc(10_000));
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 1 });
    const named = { precision: "fp32", patterns: ["onnx/model.onnx"] } as const;
    await using other = await PullPlace.make();
    expect(await other.pull(hub.url, { wanted: named })).toMatchObject({ fetched: 1 });
  });

  it("stay gone when somebody deleted them, and do not keep a further pull from its work", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url, { wanted: { precision: "q8", patterns: [] } });
    await rm(join(place.folder, "onnx/model_quantized.onnx"));
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 2 });
  });
});
