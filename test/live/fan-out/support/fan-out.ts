import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import {
  closePipeline,
  type RunOptions,
  type RunResult,
  verify,
} from "../../../../src/engine/index.ts";
import { probeTexts } from "../../../../src/engine/space.ts";
import { loadPipeline } from "../../../../src/load-pipeline.ts";
import {
  type EmbeddingServer,
  startEmbeddingServer,
} from "../../../../src/testkit/embedding-server.ts";
import { textHash } from "../../../../src/testkit/embedding-vector.ts";
import { ChangingFolder } from "../../../e2e/support/changing-folder.ts";
import { type Place, placeIn } from "../../../e2e/support/place.ts";
import { randomFrom } from "../../../e2e/support/prose.ts";
import { sync } from "../../../e2e/support/sync.ts";
import type { WeaviatePorts } from "../../support/weaviate-sink.ts";
import {
  native,
  openLancedb,
  openMilvus,
  openPinecone,
  openWeaviate,
  otherDimension,
  remoteNames,
  type Rows,
  type Store,
  type StoreName,
  storeNames,
} from "./stores.ts";

/** Where the servers are that a fan-out writes to. */
export interface Servers {
  readonly milvus: string;
  readonly weaviate: WeaviatePorts;
}

type Stores = Readonly<Record<StoreName, Store>>;

/** What is in all stores, by store and id. */
export type Contents = Readonly<Record<StoreName, Rows>>;

const probes = new Set(probeTexts.map((text) => textHash(text)));

/** One folder that changes, one embedding server that counts, and four stores of four dimensions. */
export class FanOut {
  readonly place: Place;
  readonly docs: ChangingFolder;
  readonly stores: Stores;
  readonly embedder: EmbeddingServer;
  /** Gives the same vectors to fresh indexes, and counts for nobody. */
  readonly #otherEmbedder: EmbeddingServer;
  #fresh = 0;

  private constructor(
    place: Place,
    stores: Stores,
    embedders: readonly [EmbeddingServer, EmbeddingServer],
    seed: number,
  ) {
    this.place = place;
    this.stores = stores;
    [this.embedder, this.#otherEmbedder] = embedders;
    this.docs = new ChangingFolder(place, randomFrom(seed));
  }

  static async make(servers: Servers, seed: number): Promise<FanOut> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-fan-out-"));
    const place = placeIn(folder);
    await mkdir(place.docs);
    const stores: Stores = {
      milvus: await openMilvus(servers.milvus),
      weaviate: await openWeaviate(servers.weaviate),
      pinecone: await openPinecone(),
      lancedb: openLancedb(folder),
    };
    const embedder = await startEmbeddingServer({ dimension: native });
    const other = await startEmbeddingServer({ dimension: native });
    const fanOut = new FanOut(place, stores, [embedder, other], seed);
    await fanOut.configure();
    return fanOut;
  }

  /** Replaces the pipeline file. Few documents are at work at once, so that a run makes several writes to each store. */
  async configure(sinks: readonly StoreName[] = storeNames): Promise<void> {
    const pipeline = {
      name: "handbook",
      sources: { docs: { type: "files", root: "docs" } },
      chunker: { type: "structure", max_tokens: 96, overlap_tokens: 16 },
      embedder: { type: "openai", url: this.embedder.url, model: "Qwen/Qwen3-Embedding-0.6B" },
      metadata: { edition: "integer", author: "string" },
      sinks: Object.fromEntries(sinks.map((name) => [name, this.stores[name].sink])),
      state: { type: "sqlite", path: "state/pipeline.sqlite" },
      cache: { type: "sqlite", path: "cache/cache.sqlite" },
      limits: { documents: 4 },
      retry: { attempts: 2, base_ms: 10, max_ms: 100, total_ms: 4_000 },
    };
    // JSON is YAML.
    await writeFile(this.place.file, JSON.stringify(pipeline, undefined, 2));
  }

  /** The folder gets its first documents, and a run brings them to all stores. */
  async begin(): Promise<void> {
    await this.docs.add(14, 3);
    const { summary } = await this.run({}, unhurried());
    expect(summary).toMatchObject({ status: "succeeded", failures: [] });
  }

  /** Some documents are added, edited, removed and touched. */
  async change(): Promise<void> {
    await this.docs.edit(10);
    await this.docs.add(4, 3);
    await this.docs.remove(2);
    await this.docs.touch(2);
  }

  run(options: RunOptions = {}, set: readonly string[] = []): Promise<RunResult> {
    return sync(this.place.file, { allowDeletions: Infinity, ...options }, { set });
  }

  /** What the stores hold, read past sluice; nothing for those that are not asked for. */
  async contents(names: readonly StoreName[] = storeNames, fresh?: string): Promise<Contents> {
    const read = async (name: StoreName): Promise<Rows> =>
      names.includes(name) ? this.stores[name].rows(fresh) : new Map();
    return {
      milvus: await read("milvus"),
      weaviate: await read("weaviate"),
      pinecone: await read("pinecone"),
      lancedb: await read("lancedb"),
    };
  }

  /** What a pipeline that begins anew makes of the folder as it is now, without faults, in each store. */
  async fresh(names: readonly StoreName[] = storeNames): Promise<Contents> {
    this.#fresh += 1;
    const fresh = `fresh${this.#fresh}`;
    const elsewhere = names.flatMap((name) => this.stores[name].elsewhere(fresh));
    await this.#runApart(fresh, names, elsewhere);
    const contents = await this.contents(names, fresh);
    for (const name of names) expect(contents[name].size).toBeGreaterThan(30);
    return contents;
  }

  /** Another pipeline makes a collection with another dimension, where there is none, and fills it. */
  async occupy(name: StoreName, elsewhere: readonly string[] = []): Promise<void> {
    const set = ["name=neighbour", `sinks.${name}.dimension=${otherDimension}`, ...elsewhere];
    await this.#runApart("neighbour", [name], set);
  }

  /** A run with a state, a cache and an embedding server of its own, past all wires. */
  async #runApart(
    name: string,
    sinks: readonly StoreName[],
    settings: readonly string[],
  ): Promise<void> {
    const set = [
      ...sinks.flatMap((sink) => this.stores[sink].direct),
      ...unhurried(),
      `embedder.url=${this.#otherEmbedder.url}`,
      `state.path=state/${name}.sqlite`,
      `cache.path=cache/${name}.sqlite`,
      ...settings,
    ];
    const { summary } = await this.run({ sinks }, set);
    expect(summary).toMatchObject({ status: "succeeded", failures: [] });
  }

  /** State and stores agree, record by record, as `sluice verify` finds it. */
  async expectVerified(): Promise<void> {
    const pipeline = await loadPipeline(this.place.file, { env: {} });
    try {
      const { sinks, exitCode } = await verify(pipeline);
      expect(exitCode, JSON.stringify(sinks)).toBe(0);
      expect(Object.keys(sinks)).toHaveLength(pipeline.sinks.size);
    } finally {
      await closePipeline(pipeline);
    }
  }

  /** How often each text was embedded, those of the probe left out. */
  embeddings(): readonly number[] {
    const answered = [...this.embedder.answeredTexts()];
    return answered.flatMap(([hash, times]) => (probes.has(hash) ? [] : [times]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.stores).map((store) => store.close()));
    await Promise.all([this.embedder.close(), this.#otherEmbedder.close()]);
    await rm(this.place.folder, { recursive: true, force: true });
  }
}

/** Settings that give all stores much time, all but one that is to be found too slow. */
export function unhurried(but?: StoreName): readonly string[] {
  const patient = remoteNames.filter((name) => name !== but);
  return patient.map((name) => `sinks.${name}.timeout_ms=30000`);
}
