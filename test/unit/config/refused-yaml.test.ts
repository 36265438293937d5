import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblem, readPipeline } from "../../../src/config/index.ts";
import { fixtureCatalog, goodFile } from "./fixture-catalog.ts";
import { readText, readTexts, temporaryFolder } from "./read-files.ts";

describe("YAML that is refused", () => {
  test.each([
    ["a tab as indentation", "name: x\nsources:\n\tdocs: 1\n", /3:1: a tab stands here/],
    ["a quote that is not closed", 'name: "x\n', /a quote is not closed/],
    ["a second document", `${goodFile}---\nname: y\n`, /16:1: a second YAML document/],
    [
      "a key that stands twice",
      `${goodFile}name: again\n`,
      /16:1: `name` stands here a second time \(first in line 2\)/,
    ],
    [
      "`__proto__` as a key",
      `${goodFile}limits: { __proto__: { documents: 1 } }\n`,
      /16:11: `__proto__` is not allowed as a key/,
    ],
    [
      "`__proto__` in free metadata",
      goodFile.replace("root: ../docs", 'root: x\n    metadata: { a: { "__proto__": 1 } }'),
      /`__proto__` is not allowed/,
    ],
    ["a merge key", `base: &b {}\n${goodFile}limits:\n  <<: *b\n`, /merge keys/],
    ["an unknown tag", `${goodFile}positions: !!js/function x\n`, /16:12: this YAML tag/],
    [
      "an alias of nothing",
      `${goodFile}positions: *nobody\n`,
      /`\*nobody` names no anchor above it/,
    ],
    [
      "an alias of itself",
      `${goodFile}metadata: &m { a: *m }\n`,
      /`\*m` stands inside what it names/,
    ],
    ["a key that is a list", "[a, b]: x\n", /a key must be text/],
    ["a variable as a key", "${A}: x\n", /variables are expanded in values, not in keys/],
    [
      "deep nesting",
      `${goodFile}metadata: ${"[".repeat(70)}${"]".repeat(70)}\n`,
      /nested deeper than 64 levels/,
    ],
    ["nesting beyond the parser", "[".repeat(20_000), /nested too deeply/],
    ["bad indentation", "name: x\n  sources: 1\n", /a `key: value` cannot stand here/],
    ["a reserved character", "name: @x\n", /1:7: text cannot begin with this character/],
    ["a NUL", "name: x\0y\n", /1:8: a control character stands here/],
  ])("has a clear message: %s", async (_, text, message) => {
    const { told, config } = await readText(text);
    expect(config).toBeUndefined();
    expect(told.join("\n")).toMatch(message);
  });

  test("an alias bomb is refused before it grows", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? '"lol"' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array(10).fill(item).join(", ")}]`;
    });
    const { told, config } = await readText(`${levels.join("\n")}\n${goodFile}`);
    expect(config).toBeUndefined();
    expect(told.join("\n")).toContain("aliases of this file expand to more than 10000 values");
  });

  test("a file over 1 MB is refused unread", async () => {
    const { told } = await readText(goodFile + `# ${"x".repeat(99)}\n`.repeat(20_000));
    expect(told).toEqual(["p.yaml:1:1: the file is over 1 MB; a pipeline file is a few kB"]);
  });

  test("a file that is not UTF-8 is refused", async () => {
    const { told } = await readTexts([Buffer.from(goodFile, "utf16le")]);
    expect(told[0]).toMatch(/p\.yaml:1:\d+: (the file is not UTF-8 text|a control character)/);
    const latin = await readTexts([Buffer.from(`${goodFile}# é\n`, "latin1")]);
    expect(latin.told).toEqual(["p.yaml:1:1: the file is not UTF-8 text; save it as UTF-8"]);
  });

  test("a missing file and a folder are named", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "sub"));
    const read = async (name: string) => {
      const options = { catalog: fixtureCatalog(), environment: {} };
      const { problems } = await readPipeline([join(folder, name)], options);
      return problems.map((problem) => formatProblem(problem)).join("\n");
    };
    expect(await read("none.yaml")).toMatch(/none\.yaml:1:1: .*does not exist/);
    expect(await read("sub")).toMatch(/sub:1:1: this is a folder/);
  });

  test("a byte order mark and Windows line ends are read", async () => {
    const { told } = await readText(`\uFEFF${goodFile.replaceAll("\n", "\r\n")}`);
    expect(told).toEqual([]);
  });
});
