import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblem, readPipeline } from "../../../src/config/index.ts";
import { fixtureCatalog, goodFile } from "./fixture-catalog.ts";
import { readText, readTexts, temporaryFolder } from "./read-files.ts";

describe("a file that is right", () => {
  test("gives a configuration with its defaults", async () => {
    const { told, config, folder } = await readText(goodFile);
    expect(told).toEqual([]);
    expect(config).toMatchObject({
      name: "handbook",
      file: join(folder, "p.yaml"),
      folder,
      state: { type: "sqlite", path: join(folder, ".sluice/handbook.sqlite") },
      cache: { type: "sqlite", path: join(folder, ".sluice/cache.sqlite"), maxMb: 4096 },
      deletions: { max_fraction: 0.1 },
      limits: { tokens_in_flight: 200_000, memory_mb: 1024, max_document_mb: 100 },
      positions: false,
    });
    expect(config?.sources.get("docs")).toMatchObject({
      component: { name: "docs", type: "files", config: { root: "../docs", include: ["**/*"] } },
      metadata: {},
      chunker: { type: "structure", config: { max_tokens: 512 } },
    });
    expect(config?.sinks.get("search")).toMatchObject({ dimension: "auto" });
  });

  test("loads only the declarations that it uses, besides the parsers", async () => {
    const loaded: string[] = [];
    await readText(goodFile, { catalog: fixtureCatalog(loaded) });
    expect(loaded.toSorted()).toEqual([
      "chunker structure",
      "embedder openai",
      "parser csv",
      "parser needy",
      "parser text",
      "sink milvus",
      "source files",
    ]);
  });

  test("has every parser of the catalog that works without settings, the named ones first", async () => {
    const { config } = await readText(
      goodFile.replace("root: ../docs", 'root: x\n    parsers: { csv: { text: "{a}" } }'),
    );
    const parsers = config?.sources.get("docs")?.parsers ?? [];
    expect(parsers.map(({ type, config: settings }) => [type, settings])).toEqual([
      ["csv", { text: "{a}" }],
      ["text", {}],
    ]);
  });

  test("may give a source its own chunker, names its declared fields and takes memory for a state", async () => {
    const { told, config } = await readText(
      `${goodFile}metadata: { date: timestamp, tags: list of string }\nstate: { type: memory }\ncache: { type: none }\n`.replace(
        "root: ../docs",
        "root: x\n    chunker: { type: whole }",
      ),
    );
    expect(told).toEqual([]);
    expect(config?.sources.get("docs")?.chunker.type).toBe("whole");
    expect(config?.fields).toEqual({ date: "timestamp", tags: "string_list" });
    expect([config?.state, config?.cache]).toEqual([{ type: "memory" }, { type: "none" }]);
  });

  test("shares an anchor's value between its aliases", async () => {
    const { told, config } = await readText(
      goodFile.replace("root: ../docs", "root: &r ../docs\n    include: [*r]"),
    );
    expect(told).toEqual([]);
    expect(config?.sources.get("docs")?.component.config).toEqual({
      root: "../docs",
      include: ["../docs"],
    });
  });
});

describe("problems", () => {
  test("are all told at once, each with its line and column, in order", async () => {
    const { told, config } = await readText(`nam: handbook
sources:
  docs:
    type: fils
    root: ../docs
  Other Docs:
    type: files
    rot: 5
chunker:
  max_tokens: 5
embedder:
  type: openai
  url: localhost
  model: 7
sinks:
  search:
    type: milvus
    adress: localhost:19530
    collection: handbook
    dimension: 0
    create: { metric: euclid }
    token: 5
limits: { memory_mb: lots, documents: 3.5 }
deletions:
positions: maybe
`);
    expect(config).toBeUndefined();
    expect(told).toEqual([
      "p.yaml:1:1: `name` is missing. The identity of the pipeline: 1 to 63 lower-case letters, digits, `-` and `_`, beginning with a letter or a digit.",
      "p.yaml:1:1: unknown key `nam`; did you mean `name`?",
      "p.yaml:4:11: `sources.docs`: there is no source `fils`; did you mean `files`? (known: `files`; or a path that begins with `./`, or an installed package)",
      "p.yaml:6:3: `Other Docs` cannot be a name under `sources`: 1 to 63 lower-case letters, digits, `-` and `_`, beginning with a letter or a digit.",
      "p.yaml:6:3: `sources.Other Docs.root` is missing. The folder to read.",
      "p.yaml:8:5: unknown key `rot` under `sources.Other Docs`; did you mean `root`?",
      "p.yaml:9:1: `chunker.type` is missing. Which connector: a type of sluice, a path (`./mine.ts`) or a package.",
      'p.yaml:13:8: `embedder.url` must be a URL, not "localhost"',
      "p.yaml:14:10: `embedder.model` must be text that is not empty, not 7",
      "p.yaml:16:3: `sinks.search.address` is missing. The server.",
      "p.yaml:18:5: unknown key `adress` under `sinks.search`; did you mean `address`?",
      "p.yaml:20:16: `sinks.search.dimension` must be `auto` or an integer between 1 and 65536, not 0",
      'p.yaml:21:23: `sinks.search.create.metric` must be one of `cosine`, `dot`, not "euclid"',
      "p.yaml:22:12: `sinks.search.token` must be text, not a number",
      'p.yaml:23:22: `limits.memory_mb` must be an integer between 16 and 1048576, not "lots"',
      "p.yaml:23:39: `limits.documents` must be an integer between 1 and 10000, not 3.5",
      "p.yaml:24:11: `deletions` has no value; give it one, or leave the key out",
      'p.yaml:25:12: `positions` must be `true` or `false`, not "maybe"',
    ]);
  });

  test("of a connector's own rule stand at the field that it names", async () => {
    const { told } = await readText(
      `${goodFile}chunker:\n  type: structure\n  max_tokens: 64\n  overlap_tokens: 64\n`,
    );
    expect(told).toEqual([
      "p.yaml:19:19: `chunker.overlap_tokens` must be smaller than `max_tokens`",
    ]);
  });

  test("of unknown keys list what is known where nothing is near", async () => {
    const { told } = await readText(`${goodFile}state: { type: sqlite, zzzzz: 1 }\n`);
    expect(told).toEqual([
      "p.yaml:16:24: unknown key `zzzzz` under `state` (known: `type`, `path`)",
    ]);
  });

  test("tell an unknown key even when its value is empty", async () => {
    const { told } = await readText(`${goodFile}limits:\n  documnts: \${NO:-}\n`);
    expect(told).toEqual([
      "p.yaml:17:3: unknown key `documnts` under `limits`; did you mean `documents`?",
    ]);
  });

  test("tell the choices of `state.type`", async () => {
    const { told } = await readText(`${goodFile}state: { type: postgres }\n`);
    expect(told).toEqual([
      'p.yaml:16:16: `state.type` must be `sqlite` or `memory`, not "postgres"',
    ]);
  });

  test("say of which kind a misplaced connector is", async () => {
    const { told } = await readText(goodFile.replace("type: milvus", "type: openai"));
    expect(told[0]).toContain("there is no sink `openai` (`openai` is a kind of embedder)");
  });

  test.each([
    [
      "no sources",
      goodFile.replace(/sources:[^]*(?=embedder)/, "sources: {}\n"),
      /`sources` is empty/,
    ],
    ["no sinks", goodFile.replace(/sinks:[^]*/, "sinks: {}\n"), /`sinks` is empty/],
    [
      "sources as a list",
      goodFile.replace(/sources:[^]*(?=embedder)/, "sources: [a]\n"),
      /`sources` must be a map of keys and values, not a list/,
    ],
    [
      "a source that is text",
      goodFile.replace(/sources:[^]*(?=embedder)/, "sources: { docs: files }\n"),
      /`sources.docs` must be a map/,
    ],
    [
      "another version",
      goodFile.replace("version: 1", "version: 2"),
      /1:10: `version` must be `1`, not 2/,
    ],
    ["a list as the file", "- a\n", /must be a map of keys and values/],
    ["text as the file", "hello\n", /must be a map of keys and values/],
    ["an empty file", "", /1:1: the file is empty/],
    ["only comments", "# nothing\n", /1:1: the file is empty/],
    [
      "an unknown field type",
      `${goodFile}metadata: { date: datum }\n`,
      /16:19: `metadata.date` must be one of `string`/,
    ],
    [
      "a field name for no store",
      `${goodFile}metadata: { "a b": string }\n`,
      /`a b` cannot be a name under `metadata`/,
    ],
    [
      "a reserved field",
      `${goodFile}metadata: { text: string }\n`,
      /16:13: `text` is a field of every record/,
    ],
    [
      "a reserved metadata key",
      goodFile.replace("root: ../docs", "root: x\n    metadata: { pipeline: x }"),
      /`pipeline` is a field of every record/,
    ],
    [
      "a null in metadata",
      goodFile.replace("root: ../docs", "root: x\n    metadata: { a: [1, ~] }"),
      /`sources.docs.metadata.a\[1\]` has no value/,
    ],
    [
      "metadata against its type",
      `${goodFile}metadata: { n: integer }\n`.replace(
        "root: ../docs",
        "root: x\n    metadata: { n: many }",
      ),
      /`sources.docs.metadata.n` is declared as integer/,
    ],
    [
      "`previously` that is still there",
      goodFile.replace("root: ../docs", "root: x\n    previously: docs"),
      /`sources.docs.previously` names `docs`, which is still in use/,
    ],
    [
      "`previously` that is the name",
      `${goodFile}previously: handbook\n`,
      /`previously` names `handbook`, which is still in use/,
    ],
    [
      "a number too large",
      `${goodFile}limits: { documents: 12345678901234567890 }\n`,
      /16:22: this number cannot be held exactly/,
    ],
    [
      "a number without end",
      `${goodFile}deletions: { max_fraction: .inf }\n`,
      /16:28: this number cannot be held exactly/,
    ],
    [
      "an unknown parser",
      goodFile.replace("root: ../docs", "root: x\n    parsers: { cvs: {} }"),
      /there is no parser `cvs`; did you mean `csv`/,
    ],
    [
      "an unknown key of a parser",
      goodFile.replace("root: ../docs", "root: x\n    parsers: { csv: { txt: a } }"),
      /unknown key `txt` under `sources.docs.parsers.csv`; did you mean `text`/,
    ],
  ])("name %s", async (_, text, message) => {
    const { told, config } = await readText(text);
    expect(config).toBeUndefined();
    expect(told.join("\n")).toMatch(message);
    for (const line of told) expect(line).toMatch(/^p\.yaml:\d+:\d+: /);
  });
});

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

describe("layered files", () => {
  test("merge maps deep, replace lists, and keep each problem's own file", async () => {
    const base = goodFile.replace("root: ../docs", "root: ../docs\n    include: [a, b]");
    const over =
      "sources: { docs: { include: [c] } }\nsinks:\n  search:\n    address: prod:1\n    colection: x\n";
    const { told } = await readTexts([base, over]);
    expect(told).toEqual([
      "p1.yaml:5:5: unknown key `colection` under `sinks.search`; did you mean `collection`?",
    ]);
    const { config } = await readTexts([base, over.replace("colection: x", "token: t")]);
    expect(config?.sources.get("docs")?.component.config).toEqual({
      root: "../docs",
      include: ["c"],
    });
    expect(config?.sinks.get("search")?.component.config).toMatchObject({
      address: "prod:1",
      collection: "handbook",
      token: "t",
    });
  });

  test("with a broken layer tell that layer's problem and none that follow from it", async () => {
    const { told } = await readTexts(["name: x\n", "sinks: [\n"]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^p1\.yaml:/);
  });

  test("take settings over the files", async () => {
    const { told, config } = await readText(goodFile, {
      settings: ["sinks.search.dimension=512", 'sources.docs.include=["x"]', "name=other"],
    });
    expect(told).toEqual([]);
    expect(config?.name).toBe("other");
    expect(config?.sinks.get("search")?.dimension).toBe(512);
    expect(config?.sources.get("docs")?.component.config).toMatchObject({ include: ["x"] });
  });

  test.each([
    [
      "sinks.search.dimension=big",
      /^--set sinks\.search\.dimension:1:1: `sinks\.search\.dimension` must be `auto` or an integer/,
    ],
    [
      "sinks.search.dimensoin=5",
      /^--set sinks\.search\.dimensoin:1:1: unknown key `dimensoin`.*did you mean `dimension`/,
    ],
    ["nothing", /write `path=value`/],
    ["a..b=1", /a key of the path is empty/],
    ["name=", /the value is empty/],
    ["__proto__.x=1", /`__proto__` is not allowed/],
    ["name=[", /not valid YAML/],
  ])("refuse the setting %s with a place", async (setting, message) => {
    const { told } = await readText(goodFile, { settings: [setting] });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(message);
  });

  test("refuse to set a part of a list", async () => {
    const { told } = await readText(
      goodFile.replace("root: ../docs", "root: x\n    include: [a]"),
      {
        settings: ["sources.docs.include.0=b"],
      },
    );
    expect(told[0]).toMatch(/`sources\.docs\.include` is a list; set the whole list/);
  });
});

describe("connectors of the user's own", () => {
  test("are not executed by checking; the rest of the file is checked", async () => {
    const folder = await temporaryFolder();
    const marker = join(folder, "executed");
    await writeFile(
      join(folder, "mine.ts"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");`,
    );
    const file = join(folder, "p.yaml");
    await writeFile(
      file,
      `${goodFile}positions: 5\n`.replace("type: milvus", "type: ./mine.ts\n    dimension: -1"),
    );
    const options = { catalog: fixtureCatalog(), environment: {} };
    const { problems } = await readPipeline([file], options);
    expect(problems.map((problem) => `${problem.at.line}: ${problem.message}`)).toEqual([
      "14: `sinks.search.dimension` must be `auto` or an integer between 1 and 65536, not -1",
      "17: `positions` must be `true` or `false`, not 5",
    ]);
    const { access } = await import("node:fs/promises");
    await expect(access(marker)).rejects.toThrow("ENOENT");
  });

  test("that do not exist are named at their `type`", async () => {
    const path = await readText(goodFile.replace("type: milvus", "type: ./none.ts"));
    expect(path.told).toEqual([
      "p.yaml:13:11: `sinks.search`: the connector's file `./none.ts` does not exist",
    ]);
    const scoped = await readText(goodFile.replace("type: milvus", 'type: "@a/none"'));
    expect(scoped.told[0]).toMatch(/the package `@a\/none` is not installed/);
  });

  test("may be an installed package", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "node_modules/my-sink"), { recursive: true });
    await writeFile(join(folder, "node_modules/my-sink/package.json"), "{}");
    await writeFile(join(folder, "p.yaml"), goodFile.replace("type: milvus", "type: my-sink"));
    const options = { catalog: fixtureCatalog(), environment: {} };
    const { problems, config } = await readPipeline([join(folder, "p.yaml")], options);
    expect(problems).toEqual([]);
    expect(config?.sinks.get("search")?.component.connector).toBeUndefined();
  });
});
