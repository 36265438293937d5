import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder of documents with a pipeline file beside it, on the real disk. */
export interface Place {
  /** Holds everything, state, cache and index included. */
  readonly folder: string;
  /** The folder that the source `docs` reads. */
  readonly docs: string;
  /** The pipeline file. */
  readonly file: string;
  /** The state file. */
  readonly state: string;
  /** The folder of the LanceDB database. */
  readonly index: string;
  /** Writes a document, its folders included. */
  write(id: string, text: string | Uint8Array): Promise<void>;
  /** Replaces the pipeline file. */
  configure(options: PipelineOptions): Promise<void>;
}

/** What differs between the pipelines of these tests; everything else is as a user would leave it. */
export interface PipelineOptions {
  readonly name?: string;
  /** Lines under `embedder`; the built-in `lexical` when left out. */
  readonly embedder?: readonly string[];
  /** Dimensions by sink and collection; one sink `search` when left out. */
  readonly sinks?: Readonly<Record<string, number | "auto">>;
  /** The settings of the cache; a file of its own when left out. */
  readonly cache?: string;
  /** More lines under the source `docs`. */
  readonly source?: readonly string[];
  /** More lines at the top level. */
  readonly more?: readonly string[];
}

/** The dimension of the sink `search`, where nothing else is asked for. */
export const dimension = 64;

/** The text of a pipeline file. Waits between attempts are short, so that failures are quick. */
export function pipelineText(options: PipelineOptions = {}): string {
  const sinks = Object.entries(options.sinks ?? { search: dimension });
  return [
    `name: ${options.name ?? "handbook"}`,
    "sources:",
    "  docs:",
    "    type: files",
    "    root: docs",
    ...(options.source ?? []).map((line) => `    ${line}`),
    "embedder:",
    ...(options.embedder ?? ["type: lexical"]).map((line) => `  ${line}`),
    "sinks:",
    ...sinks.flatMap(([name, size]) => [
      `  ${name}: { type: lancedb, uri: index, collection: ${name}, dimension: ${size} }`,
    ]),
    "state: { type: sqlite, path: state/pipeline.sqlite }",
    `cache: { ${options.cache ?? "type: sqlite, path: cache/cache.sqlite"} }`,
    "retry: { attempts: 2, base_ms: 1, max_ms: 5, total_ms: 2000 }",
    ...(options.more ?? []),
    "",
  ].join("\n");
}

/** The lines of an embedder that asks a server; the model is one that sluice knows: 1024 numbers, Matryoshka. */
export function serverEmbedder(url: string, ...more: readonly string[]): readonly string[] {
  return ["type: openai", `url: ${url}`, "model: Qwen/Qwen3-Embedding-0.6B", ...more];
}

/** Makes a place for one test, removed when the test ends. */
export async function makePlace(options: PipelineOptions = {}): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const place = placeIn(folder);
  await mkdir(place.docs);
  await place.configure(options);
  return place;
}

/** The place in a folder that is there already. */
export function placeIn(folder: string): Place {
  const docs = join(folder, "docs");
  const file = join(folder, "pipeline.yaml");
  return {
    folder,
    docs,
    file,
    state: join(folder, "state", "pipeline.sqlite"),
    index: join(folder, "index"),
    async write(id, text) {
      await mkdir(dirname(join(docs, id)), { recursive: true });
      await writeFile(join(docs, id), text);
    },
    configure: (options) => writeFile(file, pipelineText(options)),
  };
}
