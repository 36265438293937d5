import { writeFile } from "node:fs/promises";
import { closePipeline, type Pipeline } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import { dimension, makePlace, type Place } from "./place.ts";

/** A pipeline from a folder into a store that is read past sluice, too. */
export interface StorePlace extends Place {
  /** Settings with which the same pipeline begins anew, in the collection `fresh`. */
  readonly fresh: readonly string[];
  /** Loads the pipeline, uses it and closes it. */
  use<Result>(
    work: (pipeline: Pipeline) => Promise<Result>,
    set?: readonly string[],
  ): Promise<Result>;
  /** What a collection holds of pipelines, as another program sees it, in an order. */
  contentOf(collection?: "own" | "fresh"): Promise<readonly unknown[]>;
}

/** The store that the sink `search` writes to. */
export interface StoreOptions {
  /** Lines under the sink. */
  readonly sink: readonly string[];
  /** Settings that name the fresh collection. */
  readonly fresh: readonly string[];
  readonly retry: string;
  readonly contentOf: StorePlace["contentOf"];
}

/** Makes a place for one test, removed when the test ends. */
export async function makeStorePlace(options: StoreOptions): Promise<StorePlace> {
  const place = await makePlace();
  const text = [
    "name: handbook",
    "sources: { docs: { type: files, root: docs } }",
    "chunker: { type: structure, max_tokens: 96, overlap_tokens: 16 }",
    "embedder: { type: lexical }",
    "metadata: { edition: integer, author: string }",
    "sinks:",
    "  search:",
    ...options.sink.map((line) => `    ${line}`),
    `    dimension: ${dimension}`,
    "state: { type: sqlite, path: state/pipeline.sqlite }",
    "cache: { type: sqlite, path: cache/cache.sqlite }",
    `retry: ${options.retry}`,
    "",
  ];
  await writeFile(place.file, text.join("\n"));
  return {
    ...place,
    fresh: [...options.fresh, "state.path=fresh.sqlite", "cache.path=fresh-cache.sqlite"],
    contentOf: options.contentOf,
    async use(work, set = []) {
      const pipeline = await loadPipeline(place.file, { env: {}, set });
      try {
        return await work(pipeline);
      } finally {
        await closePipeline(pipeline);
      }
    },
  };
}
