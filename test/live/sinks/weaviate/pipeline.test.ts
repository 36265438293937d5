import { rm, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import type { WeaviateClient } from "weaviate-client";
import { adopt, closePipeline, forget, query, verify } from "../../../../src/engine/index.ts";
import { loadPipeline } from "../../../../src/load-pipeline.ts";
import { ChangingFolder } from "../../../e2e/support/changing-folder.ts";
import { makePlace, type Place } from "../../../e2e/support/place.ts";
import { pick, randomFrom } from "../../../e2e/support/prose.ts";
import { startRun } from "../../../e2e/support/run-process.ts";
import { begunIn } from "../../../e2e/support/state-file.ts";
import { sync } from "../../../e2e/support/sync.ts";
import { until } from "../../../e2e/support/until.ts";
import { describeLive } from "../../support/live-servers.ts";
import { useClient } from "../../support/weaviate-collection.ts";
import {
  addressesOf,
  askWeaviate,
  newCollection,
  type WeaviatePorts,
} from "../../support/weaviate-sink.ts";
import { startWeaviate } from "../../support/weaviate-server.ts";

type Pipeline = Awaited<ReturnType<typeof loadPipeline>>;

interface WeaviatePlace extends Place {
  readonly ports: WeaviatePorts;
  readonly collection: string;
  readonly client: WeaviateClient;
  /** Loads the pipeline, uses it and closes it. */
  use<Result>(work: (pipeline: Pipeline) => Promise<Result>): Promise<Result>;
}

/** A pipeline from a folder into a collection of its own. A write that is lost may land for 6 s, not for a minute. */
async function makeWeaviatePlace(ports: WeaviatePorts): Promise<WeaviatePlace> {
  const collection = newCollection();
  const place = await makePlace();
  const { url, grpc_url } = addressesOf(ports);
  const text = [
    "name: handbook",
    "sources: { docs: { type: files, root: docs } }",
    "chunker: { type: structure, max_tokens: 96, overlap_tokens: 16 }",
    "embedder: { type: lexical }",
    "metadata: { edition: integer, author: string }",
    "sinks:",
    "  search:",
    "    type: weaviate",
    `    url: ${url}`,
    `    grpc_url: ${grpc_url}`,
    `    collection: ${collection}`,
    "    dimension: 64",
    "    timeout_ms: 1000",
    "state: { type: sqlite, path: state/pipeline.sqlite }",
    "cache: { type: sqlite, path: cache/cache.sqlite }",
    "retry: { attempts: 3, base_ms: 20, max_ms: 200, total_ms: 4000 }",
    "",
  ];
  await writeFile(place.file, text.join("\n"));
  onTestFinished(async () => {
    for (const name of [collection, `${collection}Fresh`]) {
      await askWeaviate(ports, "DELETE", `/schema/${name}`).catch(() => undefined);
    }
  });
  return {
    ...place,
    ports,
    collection,
    client: await useClient(ports),
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

interface StoredObject {
  readonly uuid: string;
  readonly properties: object;
  readonly vectors: object;
}

/** What a collection holds as the official client sees it, in an order. */
async function contentOf(
  { client, collection }: WeaviatePlace,
  name = collection,
): Promise<readonly StoredObject[]> {
  const content: StoredObject[] = [];
  for await (const object of client.collections.use(name).iterator({ includeVector: true })) {
    const { uuid, properties, vectors } = object;
    // Objects that are part of the marker belong to no pipeline.
    if (properties["pipeline"] !== undefined) content.push({ uuid, properties, vectors });
  }
  return content.toSorted((one, other) => (one.uuid < other.uuid ? -1 : 1));
}

async function expectFresh(place: WeaviatePlace): Promise<void> {
  const fresh = `${place.collection}Fresh`;
  const set = [
    `sinks.search.collection=${fresh}`,
    "state.path=fresh.sqlite",
    "cache.path=f.sqlite",
  ];
  expect((await sync(place.file, {}, { set })).exitCode).toBe(0);
  const content = await contentOf(place);
  expect(content.length).toBeGreaterThan(20);
  expect(content).toStrictEqual(await contentOf(place, fresh));
}

describeLive("weaviate", ({ ports }) => {
  test("a folder is kept through edits and deletions, verified, found, adopted and forgotten", async () => {
    const place = await makeWeaviatePlace(ports);
    const folder = new ChangingFolder(place, randomFrom(7));
    await folder.add(12, 4);
    await place.write("note.md", '---\nauthor: it\'s "me" 🙂\n---\n\nXylophone zebra quartz.\n');
    expect((await sync(place.file)).exitCode).toBe(0);
    expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });
    await folder.edit(6);
    await folder.remove(3);
    expect((await sync(place.file, { allowDeletions: 10 })).exitCode).toBe(0);
    await expectFresh(place);

    const clean = await place.use((pipeline) => verify(pipeline));
    expect(clean.sinks).toMatchObject({ search: { missing: 0, orphaned: 0, stale: 0 } });
    expect(clean.exitCode).toBe(0);

    const filter = [{ field: "author", operator: "=", value: `it's "me" 🙂` }] as const;
    const { hits } = await place.use((pipeline) =>
      query(pipeline, { text: "xylophone quartz", k: 5, filter }),
    );
    expect(hits.map(({ document }) => document)).toEqual(["docs:note.md"]);

    for (const more of ["", "-wal", "-shm"]) await rm(place.state + more, { force: true });
    expect((await sync(place.file)).summary.error?.code).toBe("refused.state");
    const { records, incomplete } = await place.use((pipeline) =>
      adopt(pipeline, { sink: "search" }),
    );
    expect([records, incomplete]).toEqual([(await contentOf(place)).length, 0]);
    expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });

    const forgotten = await place.use((pipeline) =>
      forget(pipeline, { sink: "search", deleteRecords: true }),
    );
    expect(forgotten.records_deleted).toBe(records);
    expect(await contentOf(place)).toEqual([]);
    expect((await sync(place.file)).exitCode).toBe(0);
    expect(await contentOf(place)).toHaveLength(records);
  }, 120_000);

  test("an index is mended where somebody else was at the records", async () => {
    const place = await makeWeaviatePlace(ports);
    await new ChangingFolder(place, randomFrom(8)).add(6, 4);
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = await contentOf(place);
    const [lost, stale] = before;
    const { data } = place.client.collections.use(place.collection);
    await data.deleteById(lost!.uuid);
    await data.update({ id: stale!.uuid, properties: { fingerprint: "x" } });
    const vectors = { default: Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0)) };
    const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
    await data.insert({ properties: orphan, vectors });
    await data.insert({ properties: { pipeline: "other" }, vectors });

    const found = await place.use((pipeline) => verify(pipeline));
    expect(found.sinks).toMatchObject({ search: { missing: 1, orphaned: 1, stale: 1 } });
    const repaired = await place.use((pipeline) => verify(pipeline, { repair: true }));
    expect(repaired).toMatchObject({ exitCode: 0, sinks: { search: { repaired: 3 } } });
    const after = await contentOf(place);
    expect(after.filter((object) => !JSON.stringify(object).includes('"other"'))).toEqual(before);
  }, 120_000);

  test("a collection that was dropped is made and written anew, without an embedding", async () => {
    const place = await makeWeaviatePlace(ports);
    await new ChangingFolder(place, randomFrom(9)).add(6, 4);
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = await contentOf(place);
    await place.client.collections.delete(place.collection);
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({
      chunks: { embedded: 0 },
      sinks: { search: { upserted: before.length } },
    });
    expect(await contentOf(place)).toEqual(before);
  }, 120_000);

  test("an empty collection that somebody made takes the dimension that is configured, and remembers it", async () => {
    const place = await makeWeaviatePlace(ports);
    await new ChangingFolder(place, randomFrom(10)).add(4, 3);
    const made = `${place.collection}Fresh`;
    const set = [`sinks.search.collection=${made}`];
    expect((await sync(place.file, {}, { set })).exitCode).toBe(0);
    const schema = await askWeaviate(ports, "GET", `/schema/${made}`);
    const theirs = { ...(schema.body as object), class: place.collection, description: "Ours." };
    expect((await askWeaviate(ports, "POST", "/schema", theirs)).status).toBe(200);
    for (const more of ["", "-wal", "-shm"]) await rm(place.state + more, { force: true });
    const automatic = await sync(place.file, {}, { set: ["sinks.search.dimension=auto"] });
    expect(automatic.summary.error?.code).toBe("refused.dimension");
    expect((await sync(place.file)).exitCode).toBe(0);
    expect((await contentOf(place)).length).toBeGreaterThan(5);
    await rm(place.docs, { recursive: true });
    await place.write("only.md", "One.\n");
    await sync(place.file, { allowDeletions: 100 }, { set: ["sinks.search.dimension=auto"] });
    expect(await contentOf(place)).toHaveLength(1);
  }, 120_000);

  const kills = 5;

  test(`an index equals a fresh one after ${kills} SIGKILLs in the middle of runs`, async () => {
    const place = await makeWeaviatePlace(ports);
    const random = randomFrom(11);
    const folder = new ChangingFolder(place, random);
    await folder.add(40, 4);
    let [killed, torn] = [0, 0];
    for (let round = 0; killed < kills && round < 3 * kills; round += 1) {
      await folder.edit(10);
      await folder.remove(1);
      await folder.add(2, 4);
      await using child = startRun(place.file, "--allow-deletions");
      let looks = 1 + pick(random, 40);
      const before = begunIn(place.state);
      await until(() => {
        if (begunIn(place.state).difference(before).size > 0) looks -= 1;
        return looks <= 0 || !child.running;
      }, 30_000);
      const { signal } = await child.kill();
      if (signal === "SIGKILL") killed += 1;
      if (begunIn(place.state).size > 0) torn += 1;
    }
    expect(killed).toBe(kills);
    expect(torn).toBeGreaterThan(0);
    expect(await startRun(place.file, "--allow-deletions").ended).toMatchObject({ code: 0 });
    expect(begunIn(place.state).size).toBe(0);
    await expectFresh(place);
    expect((await place.use((pipeline) => verify(pipeline))).exitCode).toBe(0);
  }, 240_000);

  test("an index equals a fresh one after the server was killed in the middle of a run", async () => {
    await using server = await startWeaviate();
    const place = await makeWeaviatePlace(server.ports);
    const folder = new ChangingFolder(place, randomFrom(12));
    await folder.add(60, 4);
    await using child = startRun(place.file);
    await until(() => begunIn(place.state).size > 0 || !child.running, 30_000);
    await server.kill();
    const { code, stdout } = await child.ended;
    expect(code, stdout).toBe(5);
    await server.restart();
    expect(await startRun(place.file).ended).toMatchObject({ code: 0 });
    await expectFresh(place);
  }, 240_000);
});
