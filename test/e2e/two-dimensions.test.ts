import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { probeTexts } from "../../src/engine/space.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { stubVector } from "../../src/testkit/embedding-vector.ts";
import { makePlace, type Place, serverEmbedder } from "./support/place.ts";
import { markdown, randomFrom } from "./support/prose.ts";
import { openDatabase, readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const native = 1024;
/** What is embedded is what is stored: no heading is put in front. */
const more = ["chunker: { type: structure, max_tokens: 128, overlap_tokens: 0, context: none }"];

async function serve(): Promise<EmbeddingServer> {
  const server = await startEmbeddingServer({ dimension: native });
  onTestFinished(() => server.close());
  return server;
}

async function makeDocuments(place: Place): Promise<void> {
  const random = randomFrom(3);
  for (let file = 0; file < 12; file += 1) {
    await place.write(`page-${file}.md`, markdown(random, 6));
  }
}

/** The first numbers of the model's own vector, made one long again. */
function sliceOf(text: string, dimension: number): readonly number[] {
  const slice = stubVector(text, native).subarray(0, dimension);
  const norm = Math.sqrt(slice.reduce((sum, value) => sum + value * value, 0));
  return [...slice].map((value) => Math.fround(value / norm));
}

async function expectSlices(place: Place, sink: string, dimension: number): Promise<void> {
  const index = await readIndex(place.index, sink);
  expect(index.size).toBeGreaterThan(20);
  for (const { vector, text } of index.values()) {
    expect(vector).toHaveLength(dimension);
    const wanted = sliceOf(String(text), dimension);
    const furthest = Math.max(...vector.map((value, at) => Math.abs(value - (wanted[at] ?? 2))));
    expect(furthest).toBeLessThan(1e-6);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }
}

test("two collections of 1024 and 256 numbers share one embedding of every text", async () => {
  const server = await serve();
  const embedder = serverEmbedder(server.url);
  const place = await makePlace({ embedder, more, sinks: { full: 1024, small: 256 } });
  await makeDocuments(place);
  const { summary, exitCode } = await sync(place.file);
  expect(exitCode).toBe(0);
  const { size } = await readIndex(place.index, "full");
  expect(summary.sinks).toMatchObject({
    full: { dimension: 1024, upserted: size },
    small: { dimension: 256, upserted: size },
  });
  expect(server.stats()).toMatchObject({ texts: size + probeTexts.length, repeated: 0 });
  await expectSlices(place, "full", 1024);
  await expectSlices(place, "small", 256);
});

test("a smaller collection that is added later embeds nothing, with a cache or from the larger one", async () => {
  for (const cache of ["type: sqlite, path: cache/cache.sqlite", "type: none"]) {
    const server = await serve();
    const options = { embedder: serverEmbedder(server.url), more, cache };
    const place = await makePlace({ ...options, sinks: { full: 1024 } });
    await makeDocuments(place);
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = await readIndex(place.index, "full");

    server.reset();
    await place.configure({ ...options, sinks: { full: 1024, small: 256 } });
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(0);
    expect(summary.chunks).toMatchObject({ embedded: 0 });
    expect(server.stats().texts).toBe(probeTexts.length);
    expect(summary.sinks).toMatchObject({
      full: { upserted: 0 },
      small: { upserted: before.size },
    });
    expect(await readIndex(place.index, "full")).toStrictEqual(before);
    await expectSlices(place, "small", 256);
  }
});

test("a collection of another dimension than configured is refused before anything is written anywhere", async () => {
  const server = await serve();
  const options = { embedder: serverEmbedder(server.url), more };
  const place = await makePlace({ ...options, sinks: { full: 1024, third: 128 } });
  await makeDocuments(place);
  expect((await sync(place.file)).exitCode).toBe(0);
  const before = await readIndex(place.index, "full");
  const third = await readIndex(place.index, "third");
  const versions = (): Promise<string[]> =>
    readdir(join(place.index, "third.lance", "_versions")).then((names) => names.toSorted());
  const manifests = await versions();

  await place.write("page-0.md", "# Anew\n\nA text that is new.\n");
  await place.configure({ ...options, sinks: { full: 1024, fresh: 64, third: 256 } });
  server.reset();
  const { summary, exitCode } = await sync(place.file);
  expect(exitCode).toBe(4);
  expect(summary).toMatchObject({ status: "refused", error: { code: "refused.dimension" } });
  expect(summary.error?.message).toContain("has dimension 128, `dimension: 256` is configured");
  expect(server.stats().texts).toBeLessThanOrEqual(probeTexts.length);
  expect(await readIndex(place.index, "full")).toStrictEqual(before);
  expect(await readIndex(place.index, "third")).toStrictEqual(third);
  expect(await versions()).toStrictEqual(manifests);
  const database = await openDatabase(place.index);
  expect(await database.tableNames()).toStrictEqual(["full", "third"]);
  database.close();

  await place.configure({ ...options, sinks: { full: 1024, fresh: 64, third: "auto" } });
  expect((await sync(place.file)).exitCode).toBe(0);
  await expectSlices(place, "third", 128);
});
