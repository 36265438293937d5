import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/contracts/index.ts";
import { adopt, closePipeline, query, verify } from "../../src/engine/index.ts";
import { systemClock } from "../../src/flow/index.ts";
import { loadPipeline } from "../../src/load-pipeline.ts";
import { startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import {
  makePlace,
  type Place,
  placeIn,
  pipelineText,
  type PipelineOptions,
  serverEmbedder,
} from "./support/place.ts";
import { startRun } from "./support/run-process.ts";
import { documentsIn, readIndex } from "./support/stored-index.ts";
import { faultOf, sync } from "./support/sync.ts";
import { until } from "./support/until.ts";

const day = 24 * 60 * 60 * 1000;

/** A wall clock that is wrong by so many days; the monotonic one goes on as ever. */
function daysAgo(days: number): Clock {
  return { ...systemClock, now: () => Date.now() - days * day };
}

async function indexed(count: number, options: PipelineOptions = {}): Promise<Place> {
  const place = await makePlace(options);
  for (let file = 0; file < count; file += 1) {
    await place.write(`page-${file}.md`, `What page ${file} says.\n`);
  }
  expect((await sync(place.file)).summary.documents.added).toBe(count);
  return place;
}

/** Calls with a pipeline that is closed afterwards. */
async function withPipeline<T>(
  file: string,
  use: (pipeline: Awaited<ReturnType<typeof loadPipeline>>) => Promise<T>,
): Promise<T> {
  const pipeline = await loadPipeline(file, { env: {} });
  try {
    return await use(pipeline);
  } finally {
    await closePipeline(pipeline);
  }
}

test("a lost state is refused until it is adopted; then nothing is embedded or written again", async () => {
  const place = await indexed(5);
  const before = await readIndex(place.index, "search");
  await rm(join(place.folder, "state"), { recursive: true });
  await rm(join(place.folder, "cache"), { recursive: true });
  await rm(join(place.docs, "page-4.md"));
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary).toMatchObject({ status: "refused", error: { code: "refused.state" } });
    expect(summary.error?.message).toContain("sluice adopt --sink search");
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
  }
  const adopted = await withPipeline(place.file, (pipeline) => adopt(pipeline, { sink: "search" }));
  expect(adopted).toStrictEqual({ documents: 5, records: 5, incomplete: 0 });
  expect(await readIndex(place.index, "search")).toStrictEqual(before);
  expect(await sync(place.file)).toMatchObject({
    exitCode: 0,
    summary: {
      documents: { listed: 4, unchanged: 4, deleted: 1 },
      chunks: { embedded: 0 },
      sinks: { search: { upserted: 0, deleted: 1 } },
    },
  });
});

test("a state from a backup is refused, and the collection stays as it is", async () => {
  const place = await indexed(3);
  const backup = join(place.folder, "backup");
  await cp(join(place.folder, "state"), backup, { recursive: true });
  await place.write("page-3.md", "A page that the backup does not know.\n");
  expect((await sync(place.file)).exitCode).toBe(0);
  const before = await readIndex(place.index, "search");
  await rm(join(place.folder, "state"), { recursive: true });
  await cp(backup, join(place.folder, "state"), { recursive: true });
  expect(await sync(place.file)).toMatchObject({
    exitCode: 4,
    summary: { error: { code: "refused.state" } },
  });
  expect(await readIndex(place.index, "search")).toStrictEqual(before);
});

describe("in the place of the state", () => {
  const others: readonly (readonly [
    string,
    code: string,
    make: (path: string) => Promise<void>,
  ])[] = [
    [
      "a damaged file",
      "state.corrupt",
      (path) =>
        writeFile(path, "SQLite format 3\0, and then nothing of the kind".padEnd(8192, "x")),
    ],
    ["a letter", "state.corrupt", (path) => writeFile(path, "To a friend.\n".repeat(500))],
    [
      "another program's database",
      "state.foreign",
      (path) => {
        const database = new DatabaseSync(path);
        database.exec("CREATE TABLE documents (name TEXT)");
        database.close();
        return Promise.resolve();
      },
    ],
  ];

  test.each(others)("%s is refused and left alone", async (_, code, make) => {
    const place = await indexed(2);
    const before = await readIndex(place.index, "search");
    await rm(dirname(place.state), { recursive: true });
    await mkdir(dirname(place.state));
    await make(place.state);
    const content = await readFile(place.state);
    const { exitCode, summary } = await sync(place.file);
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({ exitCode: 4, code });
    expect(summary.error?.message).toContain(place.state);
    expect(await readFile(place.state)).toStrictEqual(content);
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
  });
});

describe("two runs at once", () => {
  test("are one run and one refusal that names the other's process", async () => {
    await using server = await startEmbeddingServer();
    const place = await indexed(2, { embedder: serverEmbedder(server.url) });
    await place.write("page-0.md", "What page 0 says now.\n");
    let asked = false;
    server.behave(({ texts }) => {
      asked ||= texts.some((text) => text.includes("says now"));
      return asked ? { kind: "hang" } : undefined;
    });
    const before = await readIndex(place.index, "search");
    await using first = startRun(place.file);
    expect(await until(() => asked, 20_000)).toBe(true);
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary).toMatchObject({ status: "refused", error: { code: "state.locked" } });
    expect(summary.error?.message).toMatch(/is held by .*process \d+/);
    expect(first.running).toBe(true);
    await first.kill();
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
    server.behave(undefined);
    expect((await sync(place.file)).exitCode).toBe(0);
  });

  test("of two files with one name and one state are refused, whichever comes second", async () => {
    const place = await indexed(2);
    const before = await readIndex(place.index, "search");
    const other = placeIn(join(place.folder, "other"));
    await other.write("elsewhere.md", "Another folder altogether.\n");
    const shared = pipelineText().replace("path: state/", "path: ../state/");
    await writeFile(other.file, shared.replace("uri: index", "uri: ../index"));
    const { exitCode, summary } = await sync(other.file, { allowDeletions: Infinity });
    expect(exitCode).toBe(4);
    expect(summary.error).toMatchObject({ code: "refused.pipeline" });
    expect(summary.error?.message).toContain(place.file);
    expect(summary.error?.message).toContain(other.file);
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
    expect(await sync(place.file)).toMatchObject({
      exitCode: 0,
      summary: { documents: { unchanged: 2, deleted: 0 } },
    });
  });

  test("of two names on one state file are refused", async () => {
    const place = await indexed(2);
    const { exitCode, summary } = await sync(place.file, {}, { set: ["name=manual"] });
    expect(exitCode).toBe(4);
    expect(summary.error).toMatchObject({ code: "state.foreign" });
    expect(summary.error?.message).toContain("previously: handbook");
  });
});

describe("a clock that jumps back", () => {
  test("hides no change of the documents, and loses none", async () => {
    const place = await indexed(6);
    await place.write("page-0.md", "What page 0 says now.\n");
    await rm(join(place.docs, "page-1.md"));
    await place.write("page-6.md", "A new page.\n");
    const { exitCode, summary } = await sync(place.file, { clock: daysAgo(400) });
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ added: 1, updated: 1, unchanged: 4, deleted: 1 });
    expect(summary.duration_ms).toBeGreaterThanOrEqual(0);
    const clean = await withPipeline(place.file, (pipeline) => verify(pipeline));
    expect(clean.exitCode).toBe(0);
    expect((await sync(place.file)).summary.documents.unchanged).toBe(6);
  });

  test("gives the guard no new allowance", async () => {
    const place = await indexed(30);
    for (let file = 0; file < 8; file += 1) await rm(join(place.docs, `page-${file}.md`));
    expect((await sync(place.file)).summary.documents.deleted).toBe(8);
    for (let file = 8; file < 14; file += 1) await rm(join(place.docs, `page-${file}.md`));
    const { exitCode, summary } = await sync(place.file, { clock: daysAgo(2) });
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 6, allowed: 2 }]);
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(22);
    expect((await sync(place.file, { clock: daysAgo(-2) })).summary.documents.deleted).toBe(6);
  });
});

describe("a rename with `previously`", () => {
  test("of the pipeline embeds nothing again and leaves no record under the old name", async () => {
    const place = await indexed(4);
    await place.configure({ name: "manual", more: ["previously: handbook"] });
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(0);
    expect(summary.chunks).toMatchObject({ embedded: 0 });
    const after = [...(await readIndex(place.index, "search")).values()];
    expect(after.map(({ document }) => document)).toHaveLength(4);
    expect(new Set(after.map((row) => row["pipeline"]))).toStrictEqual(new Set(["manual"]));
    expect((await sync(place.file)).summary.documents.unchanged).toBe(4);
    await place.configure({ name: "manual" });
    expect((await sync(place.file)).summary.documents.unchanged).toBe(4);
    await place.configure({});
    expect((await sync(place.file)).summary.error).toMatchObject({ code: "state.foreign" });
  });

  test("takes along a state that lies where it does by default", async () => {
    const place = await makePlace();
    const configure = (name: string, ...more: readonly string[]): Promise<void> => {
      const text = pipelineText({ name, more }).replace(/^state: .*\n/m, "");
      return writeFile(place.file, text);
    };
    await configure("handbook");
    await place.write("one.md", "Text one.\n");
    expect((await sync(place.file)).exitCode).toBe(0);
    await configure("manual", "previously: handbook");
    expect(await sync(place.file)).toMatchObject({
      exitCode: 0,
      summary: { documents: { updated: 1 }, chunks: { embedded: 0 } },
    });
    await configure("manual");
    expect((await sync(place.file)).summary.documents.unchanged).toBe(1);
    expect(await documentsIn(place.index)).toStrictEqual({ "docs:one.md": 1 });
  });

  test("of a source embeds nothing again, and deletes nothing that has to be allowed", async () => {
    const place = await indexed(25);
    const text = pipelineText().replace("  docs:", "  pages:\n    previously: docs");
    await writeFile(place.file, text);
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({
      chunks: { embedded: 0 },
      documents: { withheld: 0, deleted: 0 },
    });
    const names = Object.keys(await documentsIn(place.index));
    expect(names).toHaveLength(25);
    expect(names.every((name) => name.startsWith("pages:"))).toBe(true);
  });

  test("of a sink is not even needed: its collection is still the same", async () => {
    const place = await indexed(4);
    await writeFile(place.file, pipelineText().replace("  search: {", "  found: {"));
    expect(await sync(place.file)).toMatchObject({
      exitCode: 0,
      summary: { documents: { unchanged: 4 }, sinks: { found: { upserted: 0, deleted: 0 } } },
    });
  });

  test("that is forgotten deletes nothing of the old source by itself", async () => {
    const place = await indexed(4);
    await writeFile(place.file, pipelineText().replace("  docs:", "  pages:"));
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ source: "docs", count: 4, reason: "removed" }]);
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(8);
    expect((await sync(place.file, { allowDeletions: 4 })).exitCode).toBe(0);
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(4);
  });
});

describe("a changed recipe", () => {
  test("that would embed everything again is refused until it is asked for", async () => {
    const place = await indexed(6);
    const before = await readIndex(place.index, "search");
    const chunker = "chunker: { type: structure, max_tokens: 40, overlap_tokens: 0 }";
    await place.configure({ more: [chunker] });
    await place.write("page-0.md", "What page 0 says now.\n");
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary.error).toMatchObject({ code: "refused.reprocess" });
    expect(summary.error?.message).toContain("6 of 6 documents");
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
    expect(await sync(place.file, { reprocess: true })).toMatchObject({
      exitCode: 0,
      summary: { documents: { updated: 6 } },
    });
    expect((await sync(place.file)).summary.documents.unchanged).toBe(6);
  });

  test("that was undone is no change", async () => {
    const place = await indexed(6);
    await place.configure({
      more: ["chunker: { type: structure, max_tokens: 40, overlap_tokens: 0 }"],
    });
    expect((await sync(place.file)).exitCode).toBe(4);
    await place.configure({});
    expect((await sync(place.file)).summary.documents.unchanged).toBe(6);
  });
});

test("a query of a pipeline that never ran says so", async () => {
  const place = await makePlace();
  const asked = withPipeline(place.file, (pipeline) => query(pipeline, { text: "anything", k: 1 }));
  expect(await faultOf(asked)).toMatchObject({ code: "sink.missing" });
});
