import { describe, expect, it } from "vitest";
import { catalog, catalogModel, modelsReaching } from "../../../src/models/catalog.ts";
import { knownModel } from "../../../src/models/index.ts";
import { modelSource } from "../../../src/models/pull/model-source.ts";

describe("the catalogue", () => {
  it("has Qwen3-Embedding in three sizes, each with a vocabulary of its own kind", () => {
    const qwen3 = catalog.filter(({ tokenizer }) => tokenizer === "qwen3");
    expect(qwen3.map(({ native, vocabulary }) => [native, vocabulary])).toEqual([
      [1024, 151_669],
      [2560, 151_665],
      [4096, 151_665],
    ]);
    for (const model of qwen3) {
      expect(model).toMatchObject({ min: 32, contextTokens: 32_768, endToken: 151_643 });
      expect(model.pooling).toBe("last-token");
    }
  });

  it("gives each model exactly one entry, under every spelling", () => {
    const names = catalog.flatMap(({ id, spellings }) => [id.toLowerCase(), ...spellings]);
    expect(new Set(names).size).toBe(names.length);
    for (const model of catalog) {
      for (const name of [model.id, ...model.spellings]) {
        expect(catalogModel(name)).toBe(model);
        expect(knownModel(name)).toBe(model);
      }
    }
  });

  it("is in the order of dimensions, from which the models that reach a length are told", () => {
    const natives = catalog.map(({ native }) => native);
    expect(natives).toEqual(natives.toSorted((one, other) => one - other));
    expect(modelsReaching(3072)).toEqual(["text-embedding-3-large", "Qwen/Qwen3-Embedding-8B"]);
    expect(modelsReaching(5000)).toEqual([]);
  });
});

describe("the source of a model's files", () => {
  it("is the export that the catalogue pins, or the repository of the name", () => {
    expect(modelSource("qwen3-embedding:0.6b")).toEqual({
      model: "Qwen/Qwen3-Embedding-0.6B",
      repository: "onnx-community/Qwen3-Embedding-0.6B-ONNX",
      revision: "c25a394dd583836952667c12f008335071b3f43d",
    });
    expect(modelSource("a/b", "v1")).toEqual({ model: "a/b", repository: "a/b", revision: "v1" });
  });

  it("is refused of a model that only its makers' service has", () => {
    expect(() => modelSource("text-embedding-3-small")).toThrow("is not published");
  });
});
