import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultRevision, modelFolder } from "../../../src/models/index.ts";

const environment = { XDG_CACHE_HOME: "/caches" };
const pinned = "c25a394dd583836952667c12f008335071b3f43d";

describe("modelFolder", () => {
  it("is a folder of the cache by name and revision", () => {
    expect(modelFolder("someone/some-model", "refs/pr/27", environment)).toBe(
      join("/caches", "sluice", "models", "someone--some-model", "refs--pr--27"),
    );
  });

  it("is in the home folder where the environment names no absolute one", () => {
    const expected = join(homedir(), ".cache", "sluice", "models", "a--b", "main");
    expect(modelFolder("a/b", undefined, {})).toBe(expected);
    expect(modelFolder("a/b", undefined, { XDG_CACHE_HOME: "here" })).toBe(expected);
  });

  it.each(["Qwen/Qwen3-Embedding-0.6B", "qwen3-embedding:0.6b", "QWEN3-EMBEDDING-0.6B"])(
    "is the same for the spelling %s",
    (name) => {
      expect(modelFolder(name, undefined, environment)).toBe(
        join("/caches", "sluice", "models", "Qwen--Qwen3-Embedding-0.6B", pinned),
      );
    },
  );

  it("keeps another owner's export apart, at the pinned commit where there is one", () => {
    const name = "onnx-community/Qwen3-Embedding-0.6B-ONNX";
    expect(defaultRevision(name)).toBe(pinned);
    expect(modelFolder(name, undefined, environment)).toContain(
      "onnx-community--Qwen3-Embedding-0.6B-ONNX",
    );
    expect(defaultRevision("someone/Qwen3-Embedding-0.6B")).toBe("main");
  });

  it.each(["", "..", "../x", "a/..", "a/../b", "/etc", "a//b", "a b", "a\\b", "a/b\0"])(
    "refuses the name %j, which could lead elsewhere",
    (name) => {
      expect(() => modelFolder(name, "main", environment)).toThrow("is not the name of a model");
      expect(() => modelFolder("a/b", name, environment)).toThrow("is not the name of a model");
    },
  );
});
