import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Installed, type Outcome, packAndInstall, root, run } from "./install.ts";
import { installNode } from "./other-node.ts";

const mebibyte = 1024 * 1024;
/** A project of someone who uses the package: `poems.ts`, `use-library.ts` and `wrong-use.ts`. */
const consumer = fileURLToPath(new URL("./consumer/", import.meta.url));
let installed: Installed;

beforeAll(() => {
  installed = packAndInstall();
  const { packedBytes, unpackedBytes, files } = installed;
  console.log(
    `packed ${(packedBytes / mebibyte).toFixed(2)} MiB, ` +
      `unpacked ${(unpackedBytes / mebibyte).toFixed(2)} MiB, ${files.length} files`,
  );
});

afterAll(() => {
  if (installed !== undefined) rmSync(dirname(installed.folder), { recursive: true, force: true });
});

describe("the tarball", () => {
  it("holds the licence, the tokenizer with its notice, the schema and both entries", () => {
    expect(installed.files).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "NOTICE",
        "README.md",
        "bin/sluice.js",
        "package.json",
        "dist/assets/qwen3-tokenizer.bin.br",
        "dist/assets/qwen3-tokenizer.NOTICE.txt",
        "dist/src/cli/main.js",
        "dist/src/index.js",
        "dist/src/index.d.ts",
        "dist/src/testkit/index.js",
        "dist/src/testkit/index.d.ts",
        "schema/pipeline.schema.json",
      ]),
    );
  });

  it("holds no test, no TypeScript source and nothing that it does not need", () => {
    const known =
      /^(?:LICENSE|NOTICE|README\.md|package\.json|bin\/[\w-]+\.js|schema\/[\w.]+\.json|dist\/assets\/[\w.-]+|dist\/(?:src|connectors)\/[\w./-]+(?:\.js|\.d\.ts))$/;
    expect(installed.files.filter((path) => !known.test(path))).toEqual([]);
  });

  it("is smaller than two mebibytes", () => {
    expect(installed.packedBytes).toBeLessThan(2 * mebibyte);
  });
});

describe("the installed command", () => {
  it("tells its version", () => {
    expect(sluice("--version")).toMatchObject({ code: 0, stdout: "0.1.0\n" });
  });

  it("writes a pipeline that runs and answers, without any package of the repository", () => {
    expect(sluice("init", "trial")).toMatchObject({ code: 0 });
    writeFileSync(
      join(installed.folder, "trial/tides.md"),
      "# Tides\n\nThe moon pulls the sea into two bulges.\n\n# Wind\n\nThe trade winds blow west.\n",
    );
    const first = documentsOf(sluice("run", "trial/sluice.yaml", "--json"));
    expect(first).toMatchObject({ added: 1, failed: 0 });
    const again = documentsOf(sluice("run", "trial/sluice.yaml", "--json"));
    expect(again).toMatchObject({ added: 0, updated: 0, unchanged: 1 });
    const answer = sluice("query", "trial/sluice.yaml", "what pulls the sea", "--json");
    const { hits } = JSON.parse(answer.stdout) as { hits: { text: string }[] };
    expect(hits[0]?.text).toContain("moon");
  });

  it("ends with 2 and the place of a wrong key", () => {
    writeFileSync(join(installed.folder, "trial/broken.yaml"), "version: 1\nnam: broken\n");
    const { code, stderr } = sluice("validate", "trial/broken.yaml");
    expect(code).toBe(2);
    expect(stderr).toMatch(/broken\.yaml:2:1/);
  });

  it("prints the schema that the package ships", () => {
    const shipped = join(installed.folder, "node_modules/sluice/schema/pipeline.schema.json");
    const { stdout } = sluice("schema", "--json");
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(shipped, "utf8")));
  });
});

describe("the installed library", () => {
  it("runs a pipeline with a connector of one's own, and lends it the laws", () => {
    cpSync(consumer, installed.folder, { recursive: true });
    const { code, stdout, stderr } = run(process.execPath, ["use-library.ts"], installed.folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      added: 2,
      found: "poems:second",
      laws: true,
      broken: [],
      refusal: "config.invalid",
    });
  });

  it("has types that a strict consumer compiles against, libraries checked", () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { code, stdout } = run(process.execPath, [compiler, "-p", "."], installed.folder);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  });

  it("has types that notice a wrong use", () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const args = [compiler, "-p", "tsconfig.wrong.json"];
    const { code, stdout } = run(process.execPath, args, installed.folder);
    expect(code).not.toBe(0);
    expect(stdout).toContain("wrong-use.ts");
  });
});

describe("under the oldest Node.js that `package.json` names", () => {
  let node: string;
  beforeAll(() => {
    node = oldestNode();
  });

  it.each(["package", "checkout"])("the %s runs and answers, and warns of nothing", (place) => {
    const program = place === "package" ? packed() : join(root, "bin/sluice.js");
    const file = join(place, "sluice.yaml");
    const steps = [
      ["init", place],
      ["run", file],
      ["query", file, "tides"],
    ];
    mkdirSync(join(installed.folder, place), { recursive: true });
    writeFileSync(join(installed.folder, place, "tides.md"), "# Tides\n\nThe moon makes them.\n");
    for (const step of steps) {
      const { code, stderr } = run(node, [program, ...step, "--quiet"], installed.folder);
      expect({ step, code, stderr }).toEqual({ step, code: 0, stderr: "" });
    }
  });

  it("the library runs a connector of one's own as TypeScript", () => {
    cpSync(consumer, installed.folder, { recursive: true });
    const { code, stdout } = run(node, ["use-library.ts"], installed.folder);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ found: "poems:second", laws: true, broken: [] });
  });
});

describe("the thread of the embedder in process", () => {
  const runtime = "node_modules/sluice/dist/connectors/embedders/qwen3/runtime/index.js";
  const fixture = join(root, "test/fixtures/tiny-qwen3");
  const { items } = JSON.parse(readFileSync(join(fixture, "goldens.json"), "utf8")) as {
    readonly items: readonly {
      readonly ids: readonly number[];
      readonly vector: readonly number[];
    }[];
  };
  const chosen = items.filter(({ ids }) => [2, 17, 46].includes(ids.length));

  /** What `run-model.ts` of the consumer prints. */
  function embed(node: string, model: string): unknown {
    cpSync(consumer, installed.folder, { recursive: true });
    const entry = pathToFileURL(join(installed.folder, runtime)).href;
    const file = join(fixture, "onnx", model);
    const rows = JSON.stringify(chosen.map(({ ids }) => ids));
    const { stdout } = run(node, ["run-model.ts", entry, file, rows], installed.folder);
    return JSON.parse(stdout);
  }

  it("says how to install the package that it needs", () => {
    expect(embed(process.execPath, "model.onnx")).toMatchObject({
      code: "package.missing",
      message: expect.stringMatching(/Run `npm install --ignore-scripts onnxruntime-node`\..*CUDA/),
    });
  });

  it("gives the golden vectors, also of 16-bit floats under the oldest Node.js", () => {
    const there = join(installed.folder, "node_modules/onnxruntime-node");
    symlinkSync(join(root, "node_modules/onnxruntime-node"), there, "dir");
    const oldest = oldestNode();
    for (const [node, model] of [
      [process.execPath, "model.onnx"],
      [oldest, "model.onnx"],
      [oldest, "model_kv_gqa_fp16.onnx"],
    ] as const) {
      const { vectors } = embed(node, model) as { readonly vectors: readonly number[][] };
      for (const [index, { vector: golden }] of chosen.entries()) {
        const vector = vectors[index]!;
        const length = Math.hypot(...vector);
        const cosine =
          golden.reduce((sum, value, place) => sum + value * vector[place]!, 0) / length;
        expect(cosine, model).toBeGreaterThan(0.9999);
      }
    }
  });
});

describe("under a Node.js that is too old", () => {
  it("says so in one sentence and ends with 2", () => {
    const node = installNode(dirname(installed.folder), "20.0.0");
    for (const line of [["run"], ["--version"], ["run", "--json"]]) {
      const { code, stdout, stderr } = run(node, [packed(), ...line], installed.folder);
      expect({ line, code }).toEqual({ line, code: 2 });
      expect(stderr).toMatch(/^sluice needs Node\.js [\d.]+ or newer, and this is v20\.0\.0 .*\n$/);
      const told = JSON.stringify({ error: { code: "config.invalid", message: stderr.trim() } });
      expect(stdout.trim()).toBe(line.includes("--json") ? told : "");
    }
  });
});

let oldest: string | undefined;

/** The program of the oldest Node.js that `package.json` names, installed once. */
function oldestNode(): string {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const version = engines.node.replace(/^>=(.*)$/, "$1.0");
  oldest ??= installNode(dirname(installed.folder), version);
  return oldest;
}

function packed(): string {
  return join(installed.folder, "node_modules/sluice/bin/sluice.js");
}

function sluice(...args: readonly string[]): Outcome {
  return run(join(installed.folder, "node_modules/.bin/sluice"), args, installed.folder);
}

function documentsOf({ code, stdout, stderr }: Outcome): unknown {
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return (JSON.parse(stdout) as { documents: unknown }).documents;
}
