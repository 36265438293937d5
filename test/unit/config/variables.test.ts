import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isScalar, parseDocument } from "yaml";
import { expandText } from "../../../src/config/expand-text.ts";
import { typePlain } from "../../../src/config/variables.ts";
import { goodFile } from "./fixture-catalog.ts";
import { readText, temporaryFolder } from "./read-files.ts";

function expand(text: string, environment: Record<string, string> = {}) {
  const { text: result, mistakes } = expandText(text, environment);
  return mistakes.length > 0 ? mistakes.map(({ message }) => message) : result;
}

describe("expandText", () => {
  const environment = { A: "x", EMPTY: "", B: "${A}", C: 'q"}: [' };

  test.each([
    ["${A}", "x"],
    ["a${A}b${A}", "axbx"],
    ["${A:-d}", "x"],
    ["${NO:-d}", "d"],
    ["${EMPTY:-d}", "d"],
    ["${EMPTY}", ""],
    ["${NO:-}", ""],
    ["${NO:-${A}y}", "xy"],
    ["${NO:-${NO2:-z}}", "z"],
    ["${A:-${NO}}", "x"],
    ['${NO:-{"a":{"b":1}}}', '{"a":{"b":1}}'],
    ["${NO:-http://h:1/v1}", "http://h:1/v1"],
    ["$${A}", "${A}"],
    ["$$${A}", "$${A}"],
    ["${NO:-$${A}}", "${A}"],
    ["$A and $ and }", "$A and $ and }"],
    ["${B}", "${A}"],
    ["${C}", 'q"}: ['],
    ["${A:?say}", "x"],
  ])("makes %s to %s", (text, result) => {
    expect(expand(text, environment)).toBe(result);
  });

  test.each([
    ["${NO}", /`NO` is not set; set it, or write a default: `\$\{NO:-default\}`/],
    ["${NO:?ask Ada}", /`NO` is not set; ask Ada/],
    ["${EMPTY:?ask Ada}", /`EMPTY` is empty; ask Ada/],
    ["${NO:?}", /`NO` is not set; set it$/],
    ["${A", /not closed/],
    ["${A:-x", /not closed/],
    ["${}", /must be followed by a name/],
    ["${1A}", /must be followed by a name/],
    ["${A-x}", /write `\$\{A:-…\}` with a colon/],
    ["${__proto__}", /is not set/],
    ["${toString}", /is not set/],
  ])("refuses %s", (text, message) => {
    expect(expand(text, environment)).toEqual([expect.stringMatching(message)]);
  });

  test("refuses defaults in defaults without end", () => {
    expect(expand("${A:-".repeat(2000))).toEqual(["defaults are nested too deeply"]);
  });

  test("tells every mistake of a text", () => {
    expect(expand("${X}${Y}")).toHaveLength(2);
  });

  test("leaves text without `${` as it is, and escaped text as it was written", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(expand(text.split("${").join("$${"))).toBe(text);
      }),
    );
  });

  test("puts values in as they are, whatever they hold", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(expand("<${V}>", { V: value })).toBe(`<${value}>`);
      }),
    );
  });
});

test("a sole variable is typed as YAML would type its value", () => {
  const values = fc.oneof(
    fc.constantFrom(
      "~",
      "null",
      "NULL",
      "true",
      "True",
      "yes",
      "0x1F",
      "0o17",
      "1e3",
      "-.5",
      "+7",
      "1.",
    ),
    fc.stringMatching(/^[-+]?[0-9.eExXoabf]{1,8}$/),
    fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
    fc.string({ unit: fc.constantFrom(..."abz019-+.eE_ ") }),
  );
  fc.assert(
    fc.property(values, (value) => {
      const { contents, errors } = parseDocument(value, { schema: "core" });
      fc.pre(errors.length === 0 && isScalar(contents) && contents.type === "PLAIN");
      fc.pre(contents?.source === value);
      const yaml: unknown = isScalar(contents) ? contents.value : undefined;
      fc.pre(typeof yaml !== "number" || (Number.isFinite(yaml) && Math.abs(yaml) < 2 ** 53));
      expect(typePlain(value)).toEqual(yaml);
    }),
    { numRuns: 2000 },
  );
});

function withLimits(value: string): string {
  return `${goodFile}limits:\n  documents: ${value}\n`;
}

describe("variables in a file", () => {
  test("are typed when they stand alone and unquoted, text otherwise", async () => {
    const environment = { N: "12" };
    const alone = await readText(withLimits("${N}"), { environment });
    expect(alone.told).toEqual([]);
    expect(alone.config?.limits.documents).toBe(12);
    const quoted = await readText(withLimits('"${N}"'), { environment });
    expect(quoted.told).toEqual([
      "p.yaml:17:14: `limits.documents` must be an integer between 1 and 10000, but the variable `N` gives text; leave out the quotes (in a line of its own, not inside `{ … }` or `[ … ]`)",
    ]);
    const inside = await readText(withLimits("1${N}"), { environment });
    expect(inside.told[0]).toContain("but the variable `N` gives text");
  });

  test("that look like numbers in text fields get the advice to quote them", async () => {
    const { told } = await readText(goodFile.replace("collection: handbook", "collection: ${C}"), {
      environment: { C: "2024" },
    });
    expect(told).toEqual([
      'p.yaml:15:17: `sinks.search.collection` must be text that is not empty, but the variable `C` gives a number; quote it to make it text: "${C}"',
    ]);
  });

  test("that are empty leave their key out", async () => {
    const { told, config } = await readText(
      goodFile
        .replace("url:", "api_key: ${KEY:-}\n  url:")
        .replace("handbook\n", "handbook\npositions: ${P:-}\n"),
    );
    expect(told).toEqual([]);
    expect(config?.embedder.config).not.toHaveProperty("api_key");
    expect(config?.positions).toBe(false);
  });

  test("that are empty where a value is needed are named", async () => {
    const { told } = await readText(
      goodFile.replace("model: Qwen/Qwen3-Embedding-4B", "model: ${M}"),
      {
        environment: { M: "" },
      },
    );
    expect(told).toEqual([
      "p.yaml:10:10: `embedder.model` is missing: the variable `M` is empty. The model.",
    ]);
  });

  test("that are empty in a list are refused", async () => {
    const { told } = await readText(
      goodFile.replace("root: ../docs", "root: x\n    include:\n      - ${E:-}"),
    );
    expect(told).toEqual(["p.yaml:8:9: the variable `E` is empty; a list has no room for nothing"]);
  });

  test("that are not set are told at their own column, all of them", async () => {
    const { told } = await readText(
      goodFile
        .replace("root: ../docs", "root: /a/${ONE}/${TWO}")
        .replace("collection: handbook", 'collection: "${THREE:?say which}"'),
    );
    expect(told).toEqual([
      "p.yaml:6:14: the variable `ONE` is not set; set it, or write a default: `${ONE:-default}`",
      "p.yaml:6:21: the variable `TWO` is not set; set it, or write a default: `${TWO:-default}`",
      "p.yaml:15:18: the variable `THREE` is not set; say which",
    ]);
  });

  test("in flow style without quotes are told to be quoted, and hide no other problem", async () => {
    const { told } = await readText(
      `${goodFile}limits: { documents: \${N} }\nstate: { path: \${S}, type: sqlite }\npositions: 7\n`,
    );
    expect(told).toEqual([
      'p.yaml:16:22: a variable inside `{ … }` or `[ … ]`, or with `: ` in it, needs quotes: "${NAME}"',
      'p.yaml:17:16: a variable inside `{ … }` or `[ … ]`, or with `: ` in it, needs quotes: "${NAME}"',
      "p.yaml:18:12: `positions` must be `true` or `false`, not 7",
    ]);
  });

  test("can never add structure", async () => {
    const { told, config } = await readText(goodFile.replace("../docs", "${R}"), {
      environment: { R: "x\npositions: true\n__proto__: { a: 1 }" },
    });
    expect(told).toEqual([]);
    expect(config?.positions).toBe(false);
    expect(config?.sources.get("docs")?.component.config).toMatchObject({
      root: "x\npositions: true\n__proto__: { a: 1 }",
    });
  });

  test("that give a null are refused", async () => {
    const { told } = await readText(withLimits("${N}"), { environment: { N: "null" } });
    expect(told).toEqual([
      "p.yaml:17:14: `limits.documents` has no value; give it one, or leave the key out",
    ]);
  });

  test("come from a file beneath the environment, later files over earlier ones", async () => {
    const folder = await temporaryFolder();
    const files = [join(folder, "one.env"), join(folder, "two.env")];
    await writeFile(files[0] ?? "", 'R=one\nC="from one" # comment\n');
    await writeFile(files[1] ?? "", "R=two\nA=file\n");
    const { told, config } = await readText(
      goodFile
        .replace("../docs", "${R}")
        .replace("collection: handbook", "collection: ${C}")
        .replace("localhost:19530", "${A}"),
      { environment: { A: "environment" }, environmentFiles: files },
    );
    expect(told).toEqual([]);
    expect(config?.sources.get("docs")?.component.config).toMatchObject({ root: "two" });
    expect(config?.sinks.get("search")?.component.config).toMatchObject({
      address: "environment",
      collection: "from one",
    });
  });

  test("from a file that does not exist are a problem of that file", async () => {
    const { told } = await readText(goodFile, { environmentFiles: ["/nowhere/none.env"] });
    expect(told).toEqual(["/nowhere/none.env:1:1: the file cannot be read (it does not exist)"]);
  });
});
