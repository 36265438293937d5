import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Sink } from "../../../src/contracts/index.ts";
import { closePipeline } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import { startPineconeEmulator } from "../../../src/testkit/index.ts";
import {
  makeRecord,
  scanIds,
  toDelete,
  toUpsert,
  writeAll,
} from "../../../src/testkit/sink-harness.ts";
import { Workplace } from "../../e2e/cli/support/workplace.ts";
import { describeLive } from "../support/live-servers.ts";
import { dropCollection, milvusServers, newName } from "../support/milvus-sink.ts";
import { addressesOf, askWeaviate, newCollection } from "../support/weaviate-sink.ts";

const { signal } = new AbortController();
const dimension = 64;

type Settings = Readonly<Record<string, unknown>>;

/** Makes a place of its own in a store, which goes with the test; gives the settings of a sink. */
type MakePlace = () => Promise<Settings> | Settings;

const files = {
  "docs/one.md": `---\nauthor: 'it''s "me" \\ 🙂'\nyear: 1969\n---\n\nXylophone zebra quartz.\n`,
  "docs/two.md": "---\nauthor: someone\nyear: 2024\n---\n\nXylophone zebra granite.\n",
  "docs/three.md": "Xylophone zebra marble.\n",
};

/** A pipeline over all documents; those of one place differ by their names. */
function pipelineText(name: string, sink: Settings): string {
  return JSON.stringify({
    name,
    sources: { docs: { type: "files", root: "docs" } },
    embedder: { type: "lexical" },
    metadata: { author: "string", year: "integer" },
    sinks: { search: { ...sink, dimension } },
    state: { type: "sqlite", path: `${name}.sqlite` },
    cache: { type: "sqlite", path: "cache.sqlite" },
    retry: { attempts: 3, base_ms: 10, max_ms: 500, total_ms: 10_000 },
  });
}

/** A folder with two pipelines into one collection. */
async function makeWorkplace(sink: Settings): Promise<Workplace> {
  const place = await Workplace.make({
    ...files,
    "handbook.yaml": pipelineText("handbook", sink),
    "manual.yaml": pipelineText("manual", sink),
  });
  onTestFinished(() => place[Symbol.asyncDispose]());
  return place;
}

/** Uses the collection behind the back of the commands. */
async function behind<Result>(
  place: Workplace,
  work: (sink: Sink) => Promise<Result>,
): Promise<Result> {
  const pipeline = await loadPipeline(`${place.folder}/handbook.yaml`, { env: {} });
  try {
    const [target] = pipeline.sinks.values();
    return await work(target!.sink);
  } finally {
    await closePipeline(pipeline);
  }
}

/** The findings of `verify` for the sink. */
async function verify(place: Workplace, pipeline: string, ...more: readonly string[]) {
  const { code, json, stderr } = await place.sluice(
    "verify",
    `${pipeline}.yaml`,
    "--json",
    ...more,
  );
  expect([0, 3], stderr).toContain(code);
  const { sinks } = json<{ readonly sinks: Readonly<Record<string, unknown>> }>();
  return { code, ...(sinks["search"] as object) };
}

async function found(place: Workplace, ...filters: readonly string[]): Promise<string[]> {
  const conditions = filters.flatMap((filter) => ["--filter", filter]);
  const words = "xylophone zebra quartz";
  const outcome = await place.sluice("query", "handbook.yaml", words, "--json", ...conditions);
  expect(outcome.code, outcome.stderr).toBe(0);
  const { hits } = outcome.json<{ readonly hits: readonly { readonly document: string }[] }>();
  return hits.map(({ document }) => document.replace("docs:", ""));
}

async function run(place: Workplace, pipeline: string) {
  const outcome = await place.sluice("run", `${pipeline}.yaml`, "--json");
  return { code: outcome.code, ...outcome.json() };
}

/** The commands that need more of a sink than writing, each as a process, on one store. */
function testCommands(makePlace: MakePlace): void {
  it("`query` filters, and `verify --repair` mends, each pipeline's records alone", async () => {
    const place = await makeWorkplace(await makePlace());
    for (const pipeline of ["handbook", "manual"]) {
      expect(await run(place, pipeline)).toMatchObject({ code: 0, documents: { added: 3 } });
    }
    const all = ["one.md", "three.md", "two.md"];
    expect((await found(place)).toSorted()).toEqual(all);
    const odd = [`author=it's "me" \\ 🙂`, "author!=someone", "year<2000", "source=docs"];
    expect(await found(place, ...odd)).toEqual(["one.md"]);
    const some = ["year=1969,2024", "year>=1970", "document!=docs:one.md"];
    expect(await found(place, ...some)).toEqual(["two.md"]);

    await behind(place, async (sink) => {
      const collection = await sink.open(signal);
      const [lost, stale] = await scanIds(collection, "handbook", signal);
      const [record] = await collection.read([stale!], { vectors: true }, signal);
      const { text = "", headings = [], vector = new Float32Array(dimension) } = record!;
      const changed = { ...record!, text, headings, vector, fingerprint: "x" };
      const orphan = makeRecord(1, dimension, { pipeline: "handbook", document: "docs:gone.md" });
      const operations = [toDelete({ id: lost! }), ...[changed, orphan].map(toUpsert)];
      await writeAll(collection, operations, signal);
    });
    const damage = { missing: 1, orphaned: 1, stale: 1 };
    expect(await verify(place, "handbook")).toMatchObject({ code: 3, ...damage });
    expect(await verify(place, "handbook", "--repair")).toMatchObject({ code: 0, repaired: 3 });
    for (const pipeline of ["handbook", "manual"]) {
      const clean = { code: 0, missing: 0, orphaned: 0, stale: 0 };
      expect(await verify(place, pipeline)).toMatchObject(clean);
    }
  });

  it("`adopt` takes over a collection, and `forget` deletes only what is the pipeline's own", async () => {
    const place = await makeWorkplace(await makePlace());
    const theirs = makeRecord(1, dimension, { pipeline: "theirs" });
    await behind(place, async (sink) => {
      const fields = { author: "string", year: "integer" } as const;
      const spec = { dimension, metric: sink.createMetric, fields };
      await writeAll(await sink.create(spec, signal), [toUpsert(theirs)], signal);
    });
    const adopt = async () => {
      const outcome = await place.sluice("adopt", "handbook.yaml", "--sink", "search", "--json");
      return { code: outcome.code, ...outcome.json() };
    };
    const unmarked = await run(place, "handbook");
    expect(unmarked).toMatchObject({ code: 4, error: { code: "refused.records" } });
    expect(await adopt()).toMatchObject({ code: 0, records: 0 });
    expect(await run(place, "handbook")).toMatchObject({ code: 0, documents: { added: 3 } });

    for (const more of ["", "-wal", "-shm"]) await place.remove(`handbook.sqlite${more}`);
    const lost = await run(place, "handbook");
    expect(lost).toMatchObject({ code: 4, error: { code: "refused.state" } });
    expect(await adopt()).toMatchObject({ code: 0, documents: 3, records: 3, incomplete: 0 });
    expect(await run(place, "handbook")).toMatchObject({
      documents: { unchanged: 3 },
      sinks: { search: { upserted: 0, deleted: 0 } },
    });

    const flags = ["--sink", "search", "--delete-records", "--yes", "--json"];
    const forgotten = await place.sluice("forget", "handbook.yaml", ...flags);
    expect(forgotten.json()).toMatchObject({ records_deleted: 3 });
    const left = await behind(place, async (sink) => {
      const collection = await sink.open(signal);
      const [record] = await collection.read([theirs.id], { vectors: true }, signal);
      return [await collection.count(undefined, signal), record?.text, record?.vector];
    });
    expect(left).toEqual([1, theirs.text, theirs.vector]);
  });
}

describe("on a local Pinecone,", { timeout: 240_000 }, () => {
  testCommands(async () => {
    const apiKey = randomUUID();
    const emulator = await startPineconeEmulator({
      apiKey,
      visibilityDelayMs: 50,
      unsortedMatches: true,
    });
    onTestFinished(() => emulator.close());
    const place = { index: "handbook", namespace: "production", control_url: emulator.url };
    return { type: "pinecone", api_key: apiKey, ...place };
  });
});

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    describe("with all commands,", { timeout: 240_000 }, () => {
      testCommands(() => {
        const collection = newName();
        onTestFinished(() => dropCollection(address, collection));
        return { type: "milvus", address, collection };
      });
    });
  });
}

describeLive("weaviate", ({ ports }) => {
  describe("with all commands,", { timeout: 240_000 }, () => {
    testCommands(() => {
      const collection = newCollection();
      onTestFinished(
        async () => void (await askWeaviate(ports, "DELETE", `/schema/${collection}`)),
      );
      return { type: "weaviate", ...addressesOf(ports), collection };
    });
  });
});
