import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { catalog } from "../../connectors/catalog.ts";
import { formatProblem } from "../../src/config/index.ts";
import type { Catalog } from "../../src/contracts/index.ts";
import { defaultPolicy } from "../../src/engine/pipeline.ts";
import { isFault } from "../../src/faults/index.ts";
import { loadPipeline, loadPipelines, parsePipeline } from "../../src/load-pipeline.ts";
import { temporaryFolder } from "./config/read-files.ts";

const pipelines = fileURLToPath(new URL("../../pipelines/", import.meta.url));

const file = `name: notes
sources:
  docs:
    type: files
    root: docs
    metadata: { team: platform }
embedder:
  type: lexical
sinks:
  search:
    type: lancedb
    uri: index
    collection: notes
    dimension: 256
`;

async function write(texts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function load(text: string, options: Parameters<typeof loadPipeline>[1] = {}) {
  return loadPipeline(join(await write({ "p.yaml": text }), "p.yaml"), { env: {}, ...options });
}

async function faultOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isFault(error) ? { code: error.code, message: error.message } : error;
}

describe("loadPipeline", () => {
  test("makes every component and touches nothing on disk", async () => {
    const folder = await write({ "p.yaml": file });
    const pipeline = await loadPipeline(join(folder, "p.yaml"), { env: {} });
    expect(pipeline).toMatchObject({ name: "notes", file: join(folder, "p.yaml"), fields: {} });
    const source = pipeline.sources.get("docs");
    expect(source).toMatchObject({ name: "docs", metadata: { team: "platform" } });
    expect(source?.parsers.map(({ type }) => type)).toEqual(
      catalog.filter(({ kind }) => kind === "parser").map(({ type }) => type),
    );
    expect(pipeline.sinks.get("search")).toMatchObject({ name: "search", dimension: 256 });
    expect(pipeline.state.address).toContain(join(folder, ".sluice/notes.sqlite"));
    expect(pipeline.cache).toBeDefined();
    expect(await readdir(folder)).toEqual(["p.yaml"]);
  });

  test("has the engine's default policy when the file says nothing", async () => {
    expect((await load(file)).policy).toEqual(defaultPolicy);
  });

  test("takes every limit of the file", async () => {
    const { policy } = await load(`${file}
deletions: { max_fraction: 0.5 }
reprocess: { max_fraction: 1 }
failures: { max_documents: 0 }
limits: { tokens_in_flight: 1, memory_mb: 16, max_document_mb: 2, parse_timeout_ms: 3, documents: 4 }
retry: { attempts: 1, base_ms: 2, max_ms: 3, total_ms: 4 }
positions: true
`);
    expect(policy).toEqual({
      deletions: { maxFraction: 0.5 },
      reprocess: { maxFraction: 1 },
      failures: { maxDocuments: 0 },
      limits: {
        tokensInFlight: 1,
        memoryBytes: 16 * 1024 * 1024,
        maxDocumentBytes: 2 * 1024 * 1024,
        parseTimeoutMs: 3,
        documents: 4,
      },
      retry: { attempts: 1, baseMs: 2, maxMs: 3, totalMs: 4 },
      positions: true,
    });
  });

  test("carries former names, and has no cache when told so", async () => {
    const pipeline = await load(
      `${file}previously: memos\ncache: { type: none }\n`
        .replace("root: docs", "root: docs\n    previously: old-docs")
        .replace("uri: index", "uri: index\n    previously: old-search"),
    );
    expect(pipeline.previously).toBe("memos");
    expect(pipeline.sources.get("docs")?.previously).toBe("old-docs");
    expect(pipeline.sinks.get("search")?.previously).toBe("old-search");
    expect(pipeline.cache).toBeUndefined();
  });

  test("rejects with every problem on a line of its own", async () => {
    const fault = await faultOf(load(file.replace("name:", "nam:").replace("uri:", "url:")));
    expect(fault).toMatchObject({ code: "config.invalid" });
    const lines = (fault as { message: string }).message.split("\n");
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(/^\/.+p\.yaml:\d+:\d+: .+/);
  });

  test("keeps secrets out of its warnings and its redactor hides them", async () => {
    const pipeline = await load(file.replace("collection: notes", "collection: ${MY_SECRET}"), {
      env: { MY_SECRET: "hunter22" },
    });
    expect(pipeline.warnings).toHaveLength(1);
    expect(pipeline.redact("hunter22")).toBe("***");
  });
});

async function recipes(text: string, options: Parameters<typeof loadPipeline>[1] = {}) {
  const source = (await load(text, options)).sources.get("docs");
  const parsers = source?.parsers.map(({ type, recipe }) => [type, recipe] as const) ?? [];
  return new Map([["chunker", source?.chunkerRecipe], ...parsers]);
}

function changedKeys(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>) {
  return [...after].flatMap(([key, recipe]) => (before.get(key) === recipe ? [] : [key]));
}

function chunked(lines: string): string {
  return `${file}chunker:\n  type: structure\n${lines}`;
}

describe("recipes", () => {
  test("are SHA-256 in hex, one for the chunker and one for each parser", async () => {
    for (const recipe of (await recipes(file)).values()) {
      expect(recipe).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test("refuse an overlap of more than half a chunk at its place, and leave out no more than that", async () => {
    const fault = await faultOf(load(chunked("  max_tokens: 100\n  overlap_tokens: 51\n")));
    expect(fault).toMatchObject({
      code: "config.invalid",
      message: expect.stringMatching(
        /p\.yaml:18:19: `chunker\.overlap_tokens` must be at most half of `max_tokens`$/,
      ),
    });
    const half = await recipes(chunked("  max_tokens: 100\n  overlap_tokens: 50\n"));
    expect(await recipes(chunked("  max_tokens: 100\n"))).toEqual(half);
    const usual = await recipes(chunked("  max_tokens: 256\n  overlap_tokens: 64\n"));
    expect(await recipes(chunked("  max_tokens: 256\n"))).toEqual(usual);
  });

  test("do not change with the order of keys, a written default, or what is not of the chunker", async () => {
    const base = await recipes(chunked("  max_tokens: 256\n  overlap_tokens: 16\n"));
    expect(await recipes(chunked("  overlap_tokens: 16\n  max_tokens: 256\n"))).toEqual(base);
    const other = `${chunked("  max_tokens: 256\n  overlap_tokens: 16\n")}limits: { documents: 3 }\n`;
    expect(await recipes(other)).toEqual(base);
    expect(await recipes(chunked("  context: headings\n"))).toEqual(await recipes(file));
  });

  test("change with a setting that shapes chunks, and then only the chunker's", async () => {
    const base = await recipes(file);
    const changed = await recipes(chunked("  max_tokens: 256\n"));
    expect(changedKeys(base, changed)).toEqual(["chunker"]);
  });

  test("change with a connector's revision", async () => {
    const revised = catalog.map((entry) =>
      entry.kind === "parser" && entry.type === "markdown"
        ? { ...entry, load: async () => ({ ...(await entry.load()), revision: 999 }) }
        : entry,
    ) as Catalog;
    const base = await recipes(file);
    const changed = await recipes(file, { catalog: revised });
    expect(changedKeys(base, changed)).toEqual(["markdown"]);
  });

  test("do not change with operational and secret fields, of maps in maps too", async () => {
    const own = `import { z } from "zod";
export const mine = { kind: "chunker", type: "mine", revision: 1, summary: "", stability: "stable", examples: [], packages: [],
  config: z.strictObject({ size: z.int(), timeout_ms: z.int().optional().meta({ operational: true }), deep: z.strictObject({ key: z.string().optional().meta({ secret: true }), mode: z.string() }) }),
  create() { return { chunk: async function* () {}, close: async () => {} }; } };`;
    const withChunker = async (settings: string) => {
      const zod = new URL("../../node_modules/zod/index.js", import.meta.url).href;
      const folder = await write({
        "p.yaml": `${file}chunker: { type: ./mine.ts, ${settings} }\n`,
        "mine.ts": own.replace('"zod"', JSON.stringify(zod)),
      });
      const pipeline = await loadPipeline(join(folder, "p.yaml"), { env: {} });
      return pipeline.sources.get("docs")?.chunkerRecipe;
    };
    const base = await withChunker("size: 1, deep: { mode: a }");
    expect(await withChunker("size: 1, timeout_ms: 5, deep: { mode: a, key: k }")).toBe(base);
    expect(await withChunker("size: 1, deep: { mode: b }")).not.toBe(base);
  });
});

async function two(first: string, second: string) {
  const folder = await write({ "a.yaml": first, "b.yaml": second });
  return loadPipelines([join(folder, "a.yaml"), join(folder, "b.yaml")], { env: {} });
}

describe("loadPipelines", () => {
  test("refuses two files of one name and one state", async () => {
    const fault = await faultOf(two(file, file));
    expect(fault).toMatchObject({
      code: "refused.pipeline",
      message: expect.stringMatching(/a\.yaml` and `.*b\.yaml` both describe the pipeline `notes`/),
    });
  });

  test("refuses two pipelines on one state file, and a state where the other has its cache", async () => {
    const shared = "state: { type: sqlite, path: both.sqlite }\n";
    const memos = file.replace("name: notes", "name: memos");
    expect(await faultOf(two(file + shared, memos + shared))).toMatchObject({
      code: "refused.pipeline",
      message: expect.stringMatching(/`notes` of .*a\.yaml.* `memos` of .*b\.yaml.*both\.sqlite/),
    });
    const cache = "cache: { type: sqlite, path: both.sqlite }\n";
    for (const [one, other] of [
      [file + shared, memos + cache],
      [file + cache, memos + shared],
    ] as const) {
      expect(await faultOf(two(one, other))).toMatchObject({ code: "refused.pipeline" });
    }
    expect(await two(file + cache, memos + cache)).toHaveLength(2);
  });

  test("takes two names, two states of one name, and memory", async () => {
    expect(await two(file, file.replace("name: notes", "name: memos"))).toHaveLength(2);
    expect(await two(file, `${file}state: { type: sqlite, path: b.sqlite }\n`)).toHaveLength(2);
    expect(
      await two(`${file}state: { type: memory }\n`, `${file}state: { type: memory }\n`),
    ).toHaveLength(2);
  });

  test("tells the problems of all files at once", async () => {
    const fault = await faultOf(two(`${file}x: 1\n`, `${file}y: 1\n`));
    expect((fault as { message: string }).message).toMatch(/a\.yaml:15:1.*\n.*b\.yaml:15:1/);
  });
});

describe("connectors of the user's own", () => {
  const zod = new URL("../../node_modules/zod/index.js", import.meta.url).href;
  const source = `import { z } from ${JSON.stringify(zod)};
export const mySource = { kind: "source", type: "mine", revision: 1, summary: "Mine.", stability: "stable", examples: [], packages: [],
  config: z.strictObject({ root: z.string().describe("Where."), key: z.string().optional().meta({ secret: true }) }),
  create: (config, context) => ({ identity: config.root + "@" + context.name, read: async function* () {}, lookup: async function* () {}, check: async () => {}, close: async () => {} }) };
`;
  const mine = file.replace("type: files", "type: ./mine.ts");

  test("are loaded from a file beside the pipeline, checked and made", async () => {
    const folder = await write({ "p.yaml": mine, "mine.ts": source });
    const pipeline = await loadPipeline(join(folder, "p.yaml"), { env: {} });
    expect(pipeline.sources.get("docs")?.source.identity).toBe("docs@docs");
  });

  test("are loaded from a package", async () => {
    const folder = await write({
      "p.yaml": file.replace("type: files", "type: my-source"),
      "node_modules/my-source/package.json": JSON.stringify({
        name: "my-source",
        type: "module",
        exports: { ".": { import: "./index.js" } },
      }),
      "node_modules/my-source/index.js": source,
    });
    const pipeline = await loadPipeline(join(folder, "p.yaml"), { env: {} });
    expect(pipeline.sources.get("docs")?.source.identity).toBe("docs@docs");
  });

  test("have their keys checked and their secrets hidden as any others", async () => {
    const wrong = await write({ "p.yaml": mine.replace("root:", "rot:"), "mine.ts": source });
    const fault = await faultOf(loadPipeline(join(wrong, "p.yaml"), { env: {} }));
    expect((fault as { message: string }).message).toMatch(
      /p\.yaml:5:5: unknown key `rot` under `sources\.docs`; did you mean `root`/,
    );
    const right = await write({
      "p.yaml": mine.replace("root: docs", "root: docs\n    key: k-12345"),
      "mine.ts": source,
    });
    const pipeline = await loadPipeline(join(right, "p.yaml"), { env: {} });
    expect(pipeline.redact("k-12345")).toBe("***");
  });

  test.each([
    [
      "that export nothing of the kind",
      "export const x = 1;",
      /exports no source made with `define`/,
    ],
    ["that fail while loading", "throw new Error('bad luck');", /cannot be loaded: bad luck/],
    [
      "that export two of the kind",
      `${source}export const other = { ...mySource };`,
      /exports 2 connectors of kind source/,
    ],
  ])("%s are a problem at their `type`", async (_, code, message) => {
    const folder = await write({ "p.yaml": mine, "mine.ts": code });
    const fault = await faultOf(loadPipeline(join(folder, "p.yaml"), { env: {} }));
    expect((fault as { message: string }).message).toMatch(/p\.yaml:4:11: `sources\.docs`: /);
    expect((fault as { message: string }).message).toMatch(message);
  });
});

/** Files of the folder that belong to the project: whoever uses a checkout may put their own beside them. */
async function readyMade(): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)("git", ["ls-files"], { cwd: pipelines });
    return stdout.split("\n").filter((name) => name !== "");
  } catch {
    return readdir(pipelines);
  }
}

describe("the ready-made pipelines", async () => {
  const names = (await readyMade()).filter((name) => name.endsWith(".yaml"));

  test.each(names)(
    "%s opens with a comment, has no problem or warning, and loads",
    async (name) => {
      expect(await readFile(join(pipelines, name), "utf8")).toMatch(/^# \S/);
      const { problems, warnings } = await parsePipeline(join(pipelines, name), { env: {} });
      expect([...problems, ...warnings].map((problem) => formatProblem(problem))).toEqual([]);
      await expect(loadPipeline(join(pipelines, name), { env: {} })).resolves.toBeDefined();
    },
  );

  test("have names of their own", async () => {
    const files = names.map((name) => join(pipelines, name));
    await expect(loadPipelines(files, { env: {} })).resolves.toHaveLength(names.length);
  });

  test("quickstart.yaml with a misspelt `name` gives file, line, column and the remedy", async () => {
    const text = await readFile(join(pipelines, "quickstart.yaml"), "utf8");
    const broken = text.replace(/^name:/m, "nam:");
    const line = broken.split("\n").findIndex((row) => row.startsWith("nam:")) + 1;
    const folder = await write({ "q.yaml": broken });
    const { problems } = await parsePipeline(join(folder, "q.yaml"), { env: {} });
    expect(problems.map((problem) => formatProblem(problem)).join("\n")).toContain(
      `q.yaml:${line}:1: unknown key \`nam\`; did you mean \`name\`?`,
    );
  });
});

test("checking a file imports no queue, database, tokenizer or vector store", async () => {
  const script = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({ load(url, context, next) { seen.add(url); return next(url, context); } });
    const { parsePipeline } = await import(${JSON.stringify(new URL("../../src/load-pipeline.ts", import.meta.url).href)});
    const { problems } = await parsePipeline(${JSON.stringify(join(pipelines, "quickstart.yaml"))}, { env: {} });
    const packages = [...seen].flatMap((url) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? (url.startsWith("node:sqlite") ? url : []));
    console.log(JSON.stringify({ problems, packages: [...new Set(packages)].sort() }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    script,
  ]);
  const { problems, packages } = JSON.parse(stdout) as { problems: object[]; packages: string[] };
  expect(problems).toEqual([]);
  expect(packages).toContain("zod");
  const heavy = /lancedb|arrow|tokenizers|markdown-it|jschardet|p-queue|pino|sqlite|commander/;
  expect(packages.filter((name) => heavy.test(name))).toEqual([]);
});
