import { rm, writeFile } from "node:fs/promises";
import { type Index, Pinecone } from "@pinecone-database/pinecone";
import { describe, expect, it, onTestFinished } from "vitest";
import { adopt, closePipeline, forget, query, verify } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import {
  type PineconeEmulator,
  type PineconeEmulatorOptions,
  startPineconeEmulator,
} from "../../../src/testkit/index.ts";
import { ChangingFolder } from "../support/changing-folder.ts";
import { makePlace, type Place } from "../support/place.ts";
import { pick, randomFrom } from "../support/prose.ts";
import { startRun } from "../support/run-process.ts";
import { begunIn } from "../support/state-file.ts";
import { sync } from "../support/sync.ts";

const apiKey = "pcsk_the-key-of-the-tests";
const namespace = "production";

type Pipeline = Awaited<ReturnType<typeof loadPipeline>>;

interface PineconePlace extends Place {
  readonly emulator: PineconeEmulator;
  /** Loads the pipeline, uses it and closes it. */
  use<Result>(work: (pipeline: Pipeline) => Promise<Result>): Promise<Result>;
}

/** A pipeline from a folder into a namespace of a local Pinecone that shows its writes late. */
async function makePineconePlace(options: PineconeEmulatorOptions = {}): Promise<PineconePlace> {
  const emulator = await startPineconeEmulator({
    apiKey,
    visibilityDelayMs: 25,
    unsortedMatches: true,
    ...options,
  });
  onTestFinished(() => emulator.close());
  const place = await makePlace();
  const text = [
    "name: handbook",
    "sources: { docs: { type: files, root: docs } }",
    "chunker: { type: structure, max_tokens: 96, overlap_tokens: 16 }",
    "embedder: { type: lexical }",
    "metadata: { edition: integer, author: string }",
    "sinks:",
    "  search:",
    "    type: pinecone",
    `    api_key: ${apiKey}`,
    "    index: handbook",
    `    namespace: ${namespace}`,
    `    control_url: ${emulator.url}`,
    "    dimension: 64",
    "    timeout_ms: 400",
    "    visibility_timeout_ms: 3000",
    "    concurrency: 2",
    "state: { type: sqlite, path: state/pipeline.sqlite }",
    "cache: { type: sqlite, path: cache/cache.sqlite }",
    "retry: { attempts: 3, base_ms: 1, max_ms: 5, total_ms: 4000 }",
    "",
  ];
  await writeFile(place.file, text.join("\n"));
  return {
    ...place,
    emulator,
    async use(work) {
      const pipeline = await loadPipeline(place.file, { env: {} });
      try {
        return await work(pipeline);
      } finally {
        await closePipeline(pipeline);
      }
    },
  };
}

/** What the namespace holds, durably, in an order. */
function contentOf({ emulator }: PineconePlace, name = namespace): readonly unknown[] {
  return [...emulator.records("handbook", name).values()]
    .map(({ id, values, metadata }) => ({ id, values: [...values], metadata }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** The namespace as somebody else would use it, who is seen at once. */
async function rawIndex({ emulator }: PineconePlace): Promise<Index> {
  emulator.delayVisibility(0);
  const client = new Pinecone({ apiKey, controllerHostUrl: emulator.url });
  const { host } = await client.indexes.describe("handbook");
  return client.index({ host, namespace });
}

async function expectFresh(place: PineconePlace): Promise<void> {
  const elsewhere = ["state.path=fresh.sqlite", "cache.path=fresh-cache.sqlite"];
  const set = ["sinks.search.namespace=fresh", ...elsewhere];
  expect((await sync(place.file, {}, { set })).exitCode).toBe(0);
  const content = contentOf(place);
  expect(content.length).toBeGreaterThan(20);
  expect(content).toStrictEqual(contentOf(place, "fresh"));
}

describe("a folder kept in pinecone", () => {
  it("is kept through edits and deletions, verified, found, adopted and forgotten", async () => {
    const place = await makePineconePlace();
    const folder = new ChangingFolder(place, randomFrom(7));
    await folder.add(12, 4);
    await place.write("note.md", '---\nauthor: it\'s "me" 🙂\n---\n\nXylophone zebra quartz.\n');
    expect((await sync(place.file)).exitCode).toBe(0);
    // Nothing is written again, and nothing embedded.
    expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });
    await folder.edit(6);
    await folder.remove(3);
    expect((await sync(place.file, { allowDeletions: 10 })).exitCode).toBe(0);
    await expectFresh(place);

    // Everything can be read at once by whoever comes next.
    const clean = await place.use((pipeline) => verify(pipeline));
    expect(clean.sinks).toMatchObject({ search: { missing: 0, orphaned: 0, stale: 0 } });
    expect(clean.exitCode).toBe(0);

    const filter = [{ field: "author", operator: "=", value: `it's "me" 🙂` }] as const;
    const { hits } = await place.use((pipeline) =>
      query(pipeline, { text: "xylophone quartz", k: 5, filter }),
    );
    expect(hits.map(({ document }) => document)).toEqual(["docs:note.md"]);

    await rm(place.state, { force: true });
    for (const more of ["-wal", "-shm"]) await rm(place.state + more, { force: true });
    expect((await sync(place.file)).summary.error?.code).toBe("refused.state");
    const { records, incomplete } = await place.use((pipeline) =>
      adopt(pipeline, { sink: "search" }),
    );
    expect([records, incomplete]).toEqual([contentOf(place).length, 0]);
    expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });

    const forgotten = await place.use((pipeline) =>
      forget(pipeline, { sink: "search", deleteRecords: true }),
    );
    expect(forgotten.records_deleted).toBe(records);
    expect(contentOf(place)).toEqual([]);
    expect((await sync(place.file)).exitCode).toBe(0);
    expect(contentOf(place)).toHaveLength(records);
  });

  it("is mended where somebody else was at the records", async () => {
    const place = await makePineconePlace();
    await new ChangingFolder(place, randomFrom(8)).add(6, 4);
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = contentOf(place);
    const index = await rawIndex(place);
    const [lost, stale] = [...place.emulator.records("handbook", namespace).keys()];
    await index.deleteOne({ id: lost! });
    await index.update({ id: stale!, metadata: { fingerprint: "x" } });
    const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
    const values = [1, ...Array.from<number>({ length: 63 }).fill(0)];
    await index.upsert({ records: [{ id: "orphan", values, metadata: orphan }] });
    await index.upsert({ records: [{ id: "theirs", values, metadata: { pipeline: "other" } }] });

    const found = await place.use((pipeline) => verify(pipeline));
    expect(found.sinks).toMatchObject({ search: { missing: 1, orphaned: 1, stale: 1 } });
    const repaired = await place.use((pipeline) => verify(pipeline, { repair: true }));
    expect(repaired).toMatchObject({ exitCode: 0, sinks: { search: { repaired: 3 } } });
    expect(contentOf(place).filter((record) => !JSON.stringify(record).includes("theirs"))).toEqual(
      before,
    );
  });

  it("is written anew, and nothing is embedded, when its namespace was deleted", async () => {
    const place = await makePineconePlace();
    await new ChangingFolder(place, randomFrom(9)).add(6, 4);
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = contentOf(place);
    await (await rawIndex(place)).deleteNamespace(namespace);
    const set = ["sinks.search.visibility_timeout_ms=300"];
    const { summary, exitCode } = await sync(place.file, {}, { set });
    expect(exitCode).toBe(0);
    expect(summary.sinks).toMatchObject({ search: { upserted: before.length } });
    expect(summary.chunks).toMatchObject({ embedded: 0 });
    expect(contentOf(place)).toEqual(before);
  });

  it("lives through rate limits and errors, and says so when they do not end", async () => {
    const place = await makePineconePlace();
    await new ChangingFolder(place, randomFrom(10)).add(8, 4);
    let upserts = 0;
    place.emulator.behave(({ operation }) => {
      if (operation !== "upsert") return undefined;
      upserts += 1;
      return upserts % 2 === 1 ? { kind: "rate-limit", retryAfter: "0" } : undefined;
    });
    expect((await sync(place.file)).exitCode).toBe(0);
    await expectFresh(place);
    await place.write("more.md", "More.\n");
    place.emulator.behave({ kind: "status", status: 401 });
    const { summary } = await sync(place.file);
    expect(summary).toMatchObject({ error: { code: "sink.unauthorized" } });
    expect(JSON.stringify(summary)).not.toContain(apiKey);
  });
});

const kills = 8;

/** What becomes of the request at which the process is killed. */
const endings = [
  undefined,
  { kind: "reset" },
  { kind: "lost-answer" },
  { kind: "late", ms: 300 },
] as const;

it(`equals a fresh index after ${kills} SIGKILLs at requests of every kind, some of which land late`, async () => {
  const place = await makePineconePlace();
  const random = randomFrom(11);
  const folder = new ChangingFolder(place, random);
  await folder.add(30, 4);
  let killed = 0;
  let torn = 0;
  for (let round = 0; killed < kills && round < 3 * kills; round += 1) {
    await folder.edit(8);
    await folder.remove(1);
    await folder.add(2, 4);
    await using child = startRun(place.file, "--allow-deletions");
    let left = 1 + pick(random, 10);
    const ending = endings[round % endings.length];
    place.emulator.behave(({ operation }) => {
      if (operation !== "upsert" && operation !== "delete") return undefined;
      left -= 1;
      if (left !== 0) return undefined;
      void child.kill();
      return ending;
    });
    const { signal } = await child.ended;
    place.emulator.behave(undefined);
    if (signal === "SIGKILL") killed += 1;
    if (begunIn(place.state).size > 0) torn += 1;
  }
  expect(killed).toBe(kills);
  expect(torn).toBeGreaterThan(kills / 3);
  const last = await startRun(place.file, "--allow-deletions").ended;
  expect(last).toMatchObject({ code: 0 });
  await place.emulator.landed();
  expect(begunIn(place.state).size).toBe(0);
  await expectFresh(place);
  expect((await place.use((pipeline) => verify(pipeline))).exitCode).toBe(0);
}, 120_000);
