import { execFile } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { makePlace, type Place, type PipelineOptions, serverEmbedder } from "./support/place.ts";
import { documentsIn, readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const windows = process.platform === "win32";

/** A place with so many small documents, in the index. */
async function indexed(count: number, options: PipelineOptions = {}): Promise<Place> {
  const place = await makePlace(options);
  for (let file = 0; file < count; file += 1) await place.write(...page(file));
  expect((await sync(place.file)).summary.documents.added).toBe(count);
  return place;
}

function page(number: number): [id: string, text: string] {
  return [`page-${number}.md`, `# Page ${number}\n\nWhat page ${number} says.\n`];
}

/**
 * Two documents, one worked on at a time: while the server is asked for the first, both are listed and the second
 * is not read yet. The act happens then.
 */
async function whileListed(act: (place: Place) => void) {
  const server = await startEmbeddingServer();
  await using _ = server;
  const embedder = serverEmbedder(server.url);
  const place = await indexed(2, { embedder, more: ["limits: { documents: 1 }"] });
  await place.write("page-0.md", "# Page 0\n\nThe first text is another one now.\n");
  await place.write("page-1.md", "# Page 1\n\nThe second text is another one now.\n");
  let done = false;
  server.behave(({ texts }) => {
    if (!done && texts.some((text) => text.includes("first text"))) act(place);
    done ||= texts.some((text) => text.includes("first text"));
    return undefined;
  });
  const result = await sync(place.file);
  expect(done).toBe(true);
  const texts = [...(await readIndex(place.index, "search")).values()].map(({ text }) => text);
  return { ...result, texts };
}

describe("a source", () => {
  test("whose root vanished between runs is an error, and nothing of it is deleted", async () => {
    const place = await indexed(4);
    const before = await readIndex(place.index, "search");
    await rename(place.docs, `${place.docs}-elsewhere`);
    const { summary, exitCode } = await sync(place.file, { allowDeletions: Infinity });
    expect(exitCode).toBe(5);
    expect(summary).toMatchObject({ status: "failed", error: { code: "source.unreachable" } });
    expect(summary.error?.message).toContain("does not exist. Nothing is deleted");
    expect(await readIndex(place.index, "search")).toStrictEqual(before);

    await rename(`${place.docs}-elsewhere`, place.docs);
    expect(await sync(place.file)).toMatchObject({
      exitCode: 0,
      summary: { documents: { unchanged: 4 }, chunks: { embedded: 0 } },
    });
  });

  test("that is empty after it was full deletes nothing until it is allowed to", async () => {
    const place = await indexed(25);
    const before = await readIndex(place.index, "search");
    await rm(place.docs, { recursive: true });
    await mkdir(place.docs);
    for (const options of [{}, { allowDeletions: 24 }]) {
      const { summary, exitCode } = await sync(place.file, options);
      expect(exitCode).toBe(4);
      expect(summary).toMatchObject({
        status: "refused",
        documents: { listed: 0, deleted: 0, withheld: 25 },
        withheld: [{ source: "docs", count: 25, allowed: 10, reason: "fraction" }],
      });
      expect(summary.withheld[0]?.examples).toHaveLength(5);
      expect(await readIndex(place.index, "search")).toStrictEqual(before);
    }
    expect(await sync(place.file, { allowDeletions: 25 })).toMatchObject({
      exitCode: 0,
      summary: { documents: { deleted: 25, withheld: 0 } },
    });
    expect(await documentsIn(place.index)).toStrictEqual({});
  });

  test("that is another folder now keeps what the old one brought, and takes in the new", async () => {
    const place = await indexed(3);
    await rename(place.docs, join(place.folder, "former"));
    await place.write("new.md", "# New\n\nFrom another folder.\n");
    const text = (root: string): string =>
      readFileSync(place.file, "utf8").replace(/root: \w+/, `root: ${root}`);
    await rename(place.docs, join(place.folder, "other"));
    await writeFile(place.file, text("other"));
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 3, reason: "identity" }]);
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(4);
  });
});

describe("a file that changes while the run is at work", () => {
  test("and vanished since it was listed is looked up again, and deleted", async () => {
    const { exitCode, summary, texts } = await whileListed((place) => {
      rmSync(join(place.docs, "page-1.md"));
    });
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, updated: 1, deleted: 1, failed: 0 });
    expect(texts).toStrictEqual([expect.stringContaining("first text")]);
  });

  test("and has grown since it was listed is read as it is now, whole", async () => {
    const { exitCode, summary, texts } = await whileListed((place) => {
      appendFileSync(join(place.docs, "page-1.md"), "\nAnd it goes on.\n");
    });
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 2, updated: 2, failed: 0 });
    expect(texts.toSorted()[1]).toContain("And it goes on.");
  });
});

describe("among good files", () => {
  test.skipIf(windows)(
    "a pipe fails without being waited for, and a folder named x.md is a folder",
    async () => {
      const place = await indexed(2);
      await promisify(execFile)("mkfifo", [join(place.docs, "pipe.md")]);
      await place.write("folder.md/inner.md", "# Inner\n\nInside a folder.\n");
      const { summary, exitCode } = await sync(place.file);
      expect(exitCode).toBe(3);
      expect(summary).toMatchObject({
        status: "partial",
        documents: { listed: 4, added: 1, unchanged: 2, failed: 1 },
        failures: [{ document: "docs:pipe.md", stage: "list", code: "source.not-a-file" }],
      });
      expect(await documentsIn(place.index)).toHaveProperty("docs:folder.md/inner.md");
      expect((await sync(place.file)).exitCode).toBe(3);
      await rm(join(place.docs, "pipe.md"));
      expect((await sync(place.file)).exitCode).toBe(0);
    },
  );

  test("a document that became too large keeps its old version, and its text is not embedded", async () => {
    await using server = await startEmbeddingServer();
    const grow: Readonly<Record<string, (path: string) => Promise<void>>> = {
      "sparse.md": (path) => truncate(path, 4 * 1024 ** 3),
      "log.md": (path) => writeFile(path, "A line of a log that goes on.\n\n".repeat(420_000)),
    };
    for (const [name, growing] of Object.entries(grow)) {
      const place = await makePlace({
        embedder: serverEmbedder(server.url),
        more: ["limits: { max_document_mb: 12 }"],
      });
      await place.write("small.md", "# Small\n\nA small text.\n");
      await place.write(name, "A text of a size that anybody can read.\n");
      expect((await sync(place.file)).exitCode).toBe(0);
      const before = await readIndex(place.index, "search");
      server.reset();
      await growing(join(place.docs, name));
      const { summary, exitCode } = await sync(place.file);
      expect(exitCode).toBe(3);
      expect(summary.failures).toMatchObject([
        { document: `docs:${name}`, stage: "parse", code: "parse.too-large" },
      ]);
      expect(summary.failures[0]?.message).toContain("`limits.max_document_mb` (12 MB)");
      expect(summary.documents).toMatchObject({ listed: 2, unchanged: 1, failed: 1 });
      expect(summary.chunks.embedded).toBe(0);
      expect(await readIndex(place.index, "search")).toStrictEqual(before);
    }
  });

  test("a document that is too large from the beginning is not embedded in part", async () => {
    const place = await makePlace({ more: ["limits: { max_document_mb: 12 }"] });
    const line = "A line of a log that goes on.\n\n";
    await place.write("log.md", line.repeat((13 * 1024 ** 2) / line.length));
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([{ code: "parse.too-large" }]);
    expect(summary.chunks.embedded).toBe(0);
  });

  test.skipIf(windows)(
    "names with line ends, quotes, emoji and brackets are names like any other",
    async () => {
      const names = [
        "a\nb.md",
        `it's "quoted".md`,
        "🦭 seal.md",
        "[x]{y}*.md",
        "per%20cent.md",
        "ü.md",
      ];
      const place = await makePlace();
      for (const [number, name] of names.entries()) await place.write(name, `Text ${number}.\n`);
      expect(await sync(place.file)).toMatchObject({ exitCode: 0, summary: { failures: [] } });
      const wanted = names.map((name) => [`docs:${name}`, 1] as const);
      expect(await documentsIn(place.index)).toStrictEqual(Object.fromEntries(wanted));
      for (const [number, name] of names.entries())
        await place.write(name, `Text ${number} anew.\n`);
      expect((await sync(place.file)).summary.documents.updated).toBe(names.length);
      for (const name of names.slice(0, 3)) await rm(join(place.docs, name));
      expect((await sync(place.file)).summary.documents.deleted).toBe(3);
      expect(await documentsIn(place.index)).toStrictEqual(Object.fromEntries(wanted.slice(3)));
    },
  );

  test.skipIf(process.platform !== "linux")(
    "a name that is not UTF-8 fails alone, and the document of its nearest valid name stays",
    async () => {
      const place = await makePlace();
      await place.write("caf\ufffd.md", "# Replaced\n\nA name with the replacement sign.\n");
      expect((await sync(place.file)).exitCode).toBe(0);
      const raw = Buffer.concat([
        Buffer.from(`${place.docs}/caf`),
        Buffer.from([0xe9]),
        Buffer.from(".md"),
      ]);
      await writeFile(raw, "# Latin\n\nA name in Latin-1.\n");
      const { summary, exitCode } = await sync(place.file);
      expect(exitCode).toBe(3);
      expect(summary.failures).toMatchObject([{ stage: "list", code: "source.name" }]);
      expect(summary.failures[0]?.message).toContain("Rename it");
      expect(await documentsIn(place.index)).toStrictEqual({ "docs:caf\ufffd.md": 1 });
    },
  );

  test("a document that becomes empty has no records, and has some again when it is filled", async () => {
    const place = await indexed(2);
    await place.write("page-0.md", "");
    await place.write("blank.md", " \n\t\n");
    const warnings: string[] = [];
    const { summary, exitCode } = await sync(place.file, {
      observe: (event) => {
        if (event.kind === "document-warned") warnings.push(event.document);
      },
    });
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 3, added: 1, updated: 1, unchanged: 1 });
    expect(warnings.toSorted()).toStrictEqual(["docs:blank.md", "docs:page-0.md"]);
    expect(await documentsIn(place.index)).toStrictEqual({ "docs:page-1.md": 1 });
    expect((await sync(place.file)).summary.documents.unchanged).toBe(3);
    await place.write(...page(0));
    expect((await sync(place.file)).exitCode).toBe(0);
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(2);
  });
});
