import { cp, rename } from "node:fs/promises";
import { join } from "node:path";
import type * as LanceDb from "@lancedb/lancedb";
import { expect, test } from "vitest";
import { probeTexts } from "../../src/engine/space.ts";
import type { EmbeddingBehaviour } from "../../src/testkit/embedding-behaviour.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { textHash } from "../../src/testkit/embedding-vector.ts";
import { makePlace, type Place, placeIn, serverEmbedder } from "./support/place.ts";
import { randomFrom, section } from "./support/prose.ts";
import { startRun } from "./support/run-process.ts";
import { vectorsIn } from "./support/state-file.ts";
import { idsByDocument, openDatabase, readIndex, type StoredRow } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";
import { until } from "./support/until.ts";

/**
 * What other tools lose when they are killed in the middle of an edit: answers that were paid for, the old version of
 * what changes, or documents for good.
 *
 * A text counts as answered when its whole response has been handed to the connection a moment before the kill: the
 * client then had the time to read it and to keep it, at most `momentMs`. The responses of the request on which the
 * kill is triggered, and of all later ones, are held back: the process dies while it waits for them.
 */
const momentMs = 2_000;

const files = 200;
const edited = 60;
const sections = 6;

const probes = new Set(probeTexts.map((text) => textHash(text)));

/** Two versions of the folder: before and after an edit of 30 % of the files. */
function twoVersions(): readonly [Map<string, string>, Map<string, string>] {
  const random = randomFrom(12);
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  for (let file = 0; file < files; file += 1) {
    const parts = Array.from({ length: sections }, () => section(random));
    const id = `page-${file}.md`;
    before.set(id, `# Page ${file}\n\n${parts.join("\n")}`);
    if (file % 10 >= 3) continue;
    // Half of the sections are written anew, one is moved, one is added.
    const [moved = "", ...others] = parts.map((part, n) => (n % 2 === 1 ? section(random) : part));
    after.set(id, `# Page ${file}\n\n${[section(random), ...others, moved].join("\n")}`);
  }
  return [before, after];
}

async function write(place: Place, texts: ReadonlyMap<string, string>): Promise<void> {
  for (const [id, text] of texts) await place.write(id, text);
}

/** Reads the index over and over, and remembers every document that it ever found in neither version. */
class Reader implements AsyncDisposable {
  readonly broken = new Set<string>();
  looks = 0;
  readonly #versions: readonly ReadonlyMap<string, ReadonlySet<string>>[];
  readonly #documents: readonly string[];
  readonly #database: LanceDb.Connection;
  #stopped = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(
    database: LanceDb.Connection,
    documents: readonly string[],
    versions: readonly ReadonlyMap<string, StoredRow>[],
  ) {
    this.#database = database;
    this.#documents = documents;
    this.#versions = versions.map(idsByDocument);
  }

  start(): void {
    this.#reading = this.#readOn();
  }

  async #readOn(): Promise<void> {
    while (!this.#stopped) await this.look();
  }

  /** Every edited document has to answer with all of its old or all of its new records. */
  async look(): Promise<void> {
    const table = await this.#database.openTable("search");
    const rows: unknown[] = await table.query().select(["id"]).toArray();
    table.close();
    const present = new Set(rows.map((row) => (row as { readonly id: string }).id));
    for (const document of this.#documents) {
      const whole = this.#versions.some((version) => version.get(document)?.isSubsetOf(present));
      if (!whole) this.broken.add(document);
    }
    this.looks += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#reading;
    this.#database.close();
  }
}

/** Lets the server answer this many texts and holds every response from then on. */
function answerOnly(server: EmbeddingServer, texts: number): { held: boolean } {
  const gate = { held: false };
  let left = texts;
  server.behave(({ texts: asked }): EmbeddingBehaviour | undefined => {
    if (asked.every((text) => probes.has(textHash(text)))) return undefined;
    if (asked.length > left) gate.held = true;
    left -= asked.length;
    return gate.held ? { kind: "hang" } : undefined;
  });
  return gate;
}

/** How often texts of documents were answered again. */
function answeredAgain(server: EmbeddingServer): number {
  const times = [...server.answeredTexts()].filter(([name]) => !probes.has(name));
  return times.reduce((sum, [, count]) => sum + count - 1, 0);
}

test("a kill in the middle of a 30 % edit loses no answer, no old version and no document", async () => {
  await using server = await startEmbeddingServer();
  const embedder = serverEmbedder(server.url, "max_batch_texts: 8");
  const more = ["chunker: { type: structure, max_tokens: 128, overlap_tokens: 0 }"];
  const origin = await makePlace({ embedder, more });
  const [before, after] = twoVersions();
  expect(after.size).toBe(edited);
  await write(origin, before);
  expect((await sync(origin.file)).summary.documents.added).toBe(files);
  const old = await readIndex(origin.index, "search");
  // State remembers the pipeline file; once that is gone its copies may take the state over.
  const template = join(origin.folder, "template");
  for (const part of ["pipeline.yaml", "docs", "state", "cache", "index"]) {
    await cp(join(origin.folder, part), join(template, part), { recursive: true });
  }
  await rename(origin.file, `${origin.file}.gone`);
  const copy = async (name: string): Promise<Place> => {
    const folder = join(origin.folder, name);
    await cp(template, folder, { recursive: true });
    const place = placeIn(folder);
    await write(place, after);
    return place;
  };

  const reference = await copy("reference");
  server.reset();
  expect((await sync(reference.file)).summary.documents).toMatchObject({ updated: edited });
  const fresh = await readIndex(reference.index, "search");
  const texts = server.stats().texts - probeTexts.length;
  expect(texts).toBeGreaterThan(edited * 3);
  expect(texts).toBeLessThan(fresh.size);

  for (const share of [0.3, 0.7, 0.9, 0.99]) {
    const place = await copy(`killed-at-${share * 100}`);
    const cache = join(place.folder, "cache", "cache.sqlite");
    const cached = vectorsIn(cache);
    server.reset();
    const database = await openDatabase(place.index);
    const documents = [...after.keys()].map((id) => `docs:${id}`);
    await using reader = new Reader(database, documents, [old, fresh]);
    reader.start();

    const gate = answerOnly(server, Math.floor(texts * share));
    await using child = startRun(place.file);
    expect(await until(() => gate.held || !child.running, 60_000)).toBe(true);
    const answered = (): number => server.answeredTexts().size - probes.size;
    await until(() => vectorsIn(cache) >= cached + answered(), momentMs);
    expect((await child.kill()).signal).toBe("SIGKILL");
    const paid = answered();
    expect(paid).toBeLessThanOrEqual(texts * share);
    expect(paid).toBeGreaterThan(texts * share - 8 * 8);
    await reader.look();

    server.behave(undefined);
    const rerun = await sync(place.file);
    expect(rerun).toMatchObject({ exitCode: 0, summary: { failures: [] } });
    expect(rerun.summary.chunks.embedded).toBe(texts - paid);
    expect(answeredAgain(server)).toBe(0);
    await reader.look();
    expect(reader.looks).toBeGreaterThan(10);
    expect([...reader.broken]).toStrictEqual([]);
    expect(await readIndex(place.index, "search")).toStrictEqual(fresh);
  }
}, 180_000);
