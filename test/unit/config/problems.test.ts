import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixtureCatalog, goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

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
      limits: { tokens_in_flight: 400_000, memory_mb: 1024, max_document_mb: 100 },
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
