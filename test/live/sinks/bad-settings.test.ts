import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startPineconeEmulator } from "../../../src/testkit/index.ts";
import { makePlace, type Place } from "../../e2e/support/place.ts";
import { sync } from "../../e2e/support/sync.ts";
import { describeLive } from "../support/live-servers.ts";
import { dropCollection, milvusServers, newName } from "../support/milvus-sink.ts";
import { addressesOf, askWeaviate, newCollection } from "../support/weaviate-sink.ts";

type Settings = Readonly<Record<string, unknown>>;

/** A setting that is wrong, with the code of what comes of it, and words of what is said. */
type Mistake = readonly [set: Settings, code: string, says: string];

/** A place of its own in a store, which goes with the test. */
interface Store {
  readonly settings: Settings;
  readonly mistakes: readonly Mistake[];
}

async function configure(place: Place, sink: Settings): Promise<void> {
  const pipeline = {
    name: "handbook",
    sources: { docs: { type: "files", root: "docs" } },
    embedder: { type: "lexical" },
    sinks: { search: { ...sink, dimension: 64 } },
    state: { type: "sqlite", path: "state.sqlite" },
    cache: { type: "sqlite", path: "cache.sqlite" },
    retry: { attempts: 2, base_ms: 1, max_ms: 5, total_ms: 1_000 },
  };
  await writeFile(place.file, JSON.stringify(pipeline));
}

/** Each mistake ends a run before it writes; the next run without it writes what changed meanwhile, and no more. */
function testMistakes(make: () => Promise<Store> | Store): void {
  it("a run with a wrong setting says which, and the next one loses nothing", async () => {
    const { settings, mistakes } = await make();
    const place = await makePlace();
    for (const name of ["one", "two"]) await place.write(`${name}.md`, `What ${name} says.\n`);
    await configure(place, settings);
    expect((await sync(place.file)).exitCode).toBe(0);
    for (const [index, [wrong, code, says]] of mistakes.entries()) {
      await place.write("one.md", `What it says now, in edition ${index}.\n`);
      await configure(place, { ...settings, ...wrong });
      const failed = await sync(place.file);
      const told = JSON.stringify(failed.summary);
      expect([4, 5], told).toContain(failed.exitCode);
      expect(failed.summary.error?.code, told).toBe(code);
      expect(failed.summary.error?.message).toContain(says);
      expect(told).not.toContain("a-wrong-secret");
      await configure(place, settings);
      const { exitCode, summary } = await sync(place.file);
      expect(exitCode).toBe(0);
      expect(summary).toMatchObject({
        documents: { unchanged: 1, updated: 1, deleted: 0 },
        sinks: { search: { upserted: 1, deleted: 1 } },
      });
    }
  });
}

const long = { timeout: 120_000 };

describe("on a local Pinecone,", long, () => {
  testMistakes(async () => {
    const apiKey = randomUUID();
    const emulator = await startPineconeEmulator({ apiKey });
    onTestFinished(() => emulator.close());
    const { url } = emulator;
    const tls = url.replace("http:", "https:");
    return {
      settings: { type: "pinecone", api_key: apiKey, index: "handbook", control_url: url },
      mistakes: [
        [{ api_key: "a-wrong-secret" }, "sink.unauthorized", "Check `api_key`"],
        [{ control_url: "http://127.0.0.1:1" }, "sink.unreachable", "`control_url`"],
        [{ control_url: tls }, "sink.unreachable", "Is it an address of http?"],
        [{ host: url }, "sink.missing", "correct `host`"],
        [{ host: "http://127.0.0.1:1" }, "sink.unreachable", "`host`"],
      ],
    };
  });
});

for (const name of milvusServers) {
  describeLive(name, ({ address, ports }) => {
    describe("with settings that are wrong,", long, () => {
      testMistakes(() => {
        const collection = newName();
        onTestFinished(() => dropCollection(address, collection));
        const mistakes: Mistake[] = [
          [{ address: "127.0.0.1:1" }, "sink.unreachable", "Check `address`"],
          [{ address: `https://${address}` }, "sink.unreachable", "Remove `tls`"],
          [{ database: "nobodys" }, "sink.missing", "correct `database`"],
        ];
        if ("metrics" in ports) {
          const metrics = `127.0.0.1:${ports.metrics}`;
          mistakes.push([{ address: metrics }, "sink.unreachable", "not that of HTTP"]);
        }
        return { settings: { type: "milvus", address, collection, timeout_ms: 10_000 }, mistakes };
      });
    });
  });
}

describeLive("weaviate", ({ ports }) => {
  describe("with settings that are wrong,", long, () => {
    testMistakes(() => {
      const collection = newCollection();
      onTestFinished(
        async () => void (await askWeaviate(ports, "DELETE", `/schema/${collection}`)),
      );
      const { url = "", grpc_url = "" } = addressesOf(ports);
      return {
        settings: { type: "weaviate", url, grpc_url, collection, timeout_ms: 10_000 },
        mistakes: [
          [{ url: "http://127.0.0.1:1" }, "sink.unreachable", "Check `url`"],
          [{ url: url.replace("http:", "https:") }, "sink.unreachable", "Check `url`"],
          [{ url: grpc_url }, "sink.unreachable", "Check `url`"],
          [{ grpc_url: url }, "sink.unreachable", "Check `grpc_url`"],
          [{ tenant: "acme" }, "refused.schema", "It has no tenants"],
          [{ vector: "nobodys" }, "refused.schema", "No vector `nobodys`"],
        ],
      };
    });
  });
});
