import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import type { WeaviateClient } from "weaviate-client";
import { verify } from "../../../../src/engine/index.ts";
import { ChangingFolder } from "../../../e2e/support/changing-folder.ts";
import { pick, randomFrom } from "../../../e2e/support/prose.ts";
import { startRun } from "../../../e2e/support/run-process.ts";
import { begunIn } from "../../../e2e/support/state-file.ts";
import { makeStorePlace, type StorePlace } from "../../../e2e/support/store-place.ts";
import {
  expectFresh,
  expectKept,
  expectMended,
  expectWrittenAnew,
  loseState,
} from "../../../e2e/support/store-stories.ts";
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

interface WeaviatePlace extends StorePlace {
  readonly collection: string;
  readonly client: WeaviateClient;
}

/** A pipeline from a folder into a collection of its own. A write that is lost may land for 6 s, not for a minute. */
async function makeWeaviatePlace(ports: WeaviatePorts): Promise<WeaviatePlace> {
  const collection = newCollection();
  const collections = { own: collection, fresh: `${collection}Fresh` } as const;
  const { url, grpc_url } = addressesOf(ports);
  const client = await useClient(ports);
  onTestFinished(async () => {
    for (const name of Object.values(collections)) {
      await askWeaviate(ports, "DELETE", `/schema/${name}`).catch(() => undefined);
    }
  });
  const place = await makeStorePlace({
    sink: [
      "type: weaviate",
      `url: ${url}`,
      `grpc_url: ${grpc_url}`,
      `collection: ${collection}`,
      "timeout_ms: 1000",
    ],
    fresh: [`sinks.search.collection=${collections.fresh}`],
    retry: "{ attempts: 3, base_ms: 20, max_ms: 200, total_ms: 4000 }",
    contentOf: (which = "own") => contentOf(client, collections[which]),
  });
  return { ...place, collection, client };
}

interface StoredObject {
  readonly uuid: string;
  readonly properties: object;
  readonly vectors: object;
}

/** What a collection holds as the official client sees it, in an order. */
async function contentOf(client: WeaviateClient, name: string): Promise<readonly StoredObject[]> {
  const content: StoredObject[] = [];
  for await (const object of client.collections.use(name).iterator({ includeVector: true })) {
    const { uuid, properties, vectors } = object;
    // Objects that are part of the marker belong to no pipeline.
    if (properties["pipeline"] !== undefined) content.push({ uuid, properties, vectors });
  }
  return content.toSorted((one, other) => (one.uuid < other.uuid ? -1 : 1));
}

describeLive("weaviate", ({ ports }) => {
  test("a folder is kept through edits and deletions, verified, found, adopted and forgotten", async () => {
    await expectKept(await makeWeaviatePlace(ports));
  }, 120_000);

  test("an index is mended where somebody else was at the records", async () => {
    const place = await makeWeaviatePlace(ports);
    const { data } = place.client.collections.use(place.collection);
    await expectMended(place, async (lost, stale) => {
      await data.deleteById((lost as StoredObject).uuid);
      const { uuid: id } = stale as StoredObject;
      await data.update({ id, properties: { fingerprint: "x" } });
      const vectors = { default: Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0)) };
      const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
      await data.insert({ properties: orphan, vectors });
      await data.insert({ properties: { pipeline: "other" }, vectors });
    });
  }, 120_000);

  test("a collection that was dropped is made and written anew, without an embedding", async () => {
    const place = await makeWeaviatePlace(ports);
    await expectWrittenAnew(place, () => place.client.collections.delete(place.collection));
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
    await loseState(place);
    const automatic = await sync(place.file, {}, { set: ["sinks.search.dimension=auto"] });
    expect(automatic.summary.error?.code).toBe("refused.dimension");
    expect((await sync(place.file)).exitCode).toBe(0);
    expect((await place.contentOf()).length).toBeGreaterThan(5);
    await rm(place.docs, { recursive: true });
    await place.write("only.md", "One.\n");
    await sync(place.file, { allowDeletions: 100 }, { set: ["sinks.search.dimension=auto"] });
    expect(await place.contentOf()).toHaveLength(1);
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
