import { copyFileSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closePipeline, run } from "../src/engine/index.ts";
import { loadPipeline } from "../src/load-pipeline.ts";
import { Corpus } from "./corpus.ts";
import { peakOf } from "./memory.ts";
import { atMost, type BenchRow } from "./row.ts";
import { Workplace } from "./workplace.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const model = join(root, "test/fixtures/tiny-qwen3");
const embedder = `{ type: qwen3, model: tiny, path: ${JSON.stringify(model)}, device: cpu, max_batch_tokens: 16384 }`;
const chunker = "chunker: { type: structure, max_tokens: 400, overlap_tokens: 0 }";

/** The embedder `qwen3` with a tiny model: what does not depend on the size of a model. */
export async function inProcessRows(): Promise<readonly BenchRow[]> {
  return [await paddingRow(), await mainThreadRow(), await memoryRow()];
}

/** Real Markdown: the documentation of the packages that the project depends on. */
function markdownFiles(): readonly string[] {
  return globSync("node_modules/**/*.md", { cwd: root })
    .toSorted()
    .map((path) => join(root, path));
}

/** As the engine feeds it: calls of many documents, as full as they are. */
async function paddingRow(): Promise<BenchRow> {
  using place = new Workplace();
  mkdirSync(place.docs);
  for (const [index, path] of markdownFiles().entries()) {
    copyFileSync(path, join(place.docs, `${index}.md`));
  }
  place.configure({ embedder, more: chunker });
  const pipeline = await loadPipeline(place.file);
  try {
    const started = performance.now();
    const { summary } = await run(pipeline);
    const seconds = (performance.now() - started) / 1000;
    if (summary.status !== "succeeded") throw new Error(JSON.stringify(summary));
    const [measures] = pipeline.embedder.measures?.() ?? [];
    if (measures === undefined) throw new RangeError("The embedder measured nothing.");
    const { tokens, padding, batches, texts } = measures;
    return atMost({
      name: "padding on real Markdown",
      unit: "%",
      reach: 5,
      reached: (100 * padding) / (tokens + padding),
      note: `${texts} texts and ${tokens} tokens in ${batches} batches, ${seconds.toFixed(1)} s`,
    });
  } finally {
    await closePipeline(pipeline);
  }
}

/** By the thread's own time: other processes of a busy machine do not count. */
async function mainThreadRow(): Promise<BenchRow> {
  using place = new Workplace();
  mkdirSync(place.docs);
  place.configure({ embedder, more: chunker });
  const pipeline = await loadPipeline(place.file);
  const signal = new AbortController().signal;
  const texts = markdownFiles().flatMap((path) => slices(readFileSync(path, "utf8"), 400));
  try {
    await pipeline.embedder.open(signal);
    let before = threadMs();
    let longest = 0;
    const timer = setInterval(() => {
      const now = threadMs();
      longest = Math.max(longest, now - before);
      before = now;
    }, 5);
    const calls = slicesOf(texts.slice(0, 3_000), 250);
    for (const pair of slicesOf(calls, 2)) {
      await Promise.all(pair.map((call) => pipeline.embedder.embed(call, "document", signal)));
    }
    clearInterval(timer);
    return atMost({
      name: "main thread blocked by embedding",
      unit: "ms",
      reach: 50,
      reached: longest,
      note: "the longest, in calls of 250 texts of 400 characters, two at once",
    });
  } finally {
    await closePipeline(pipeline);
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function slices(text: string, units: number): readonly string[] {
  return slicesOf([...text], units).map((characters) => characters.join(""));
}

function slicesOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** Megabytes of text, or as many as `SLUICE_BENCH_MB` says; 1,000 take an hour on two cores. */
const megabytes = Number(process.env["SLUICE_BENCH_MB"] ?? 20);

async function memoryRow(): Promise<BenchRow> {
  const small = await peakOfText(megabytes / 4);
  const large = await peakOfText(megabytes);
  return atMost({
    name: "memory of embedding four times the text",
    unit: "times",
    reach: 1.25,
    reached: large / small,
    note: `peak resident ${small.toFixed(0)} MB at ${megabytes / 4} MB and ${large.toFixed(0)} MB at ${megabytes} MB of text`,
  });
}

/** Short chunks: attention is what takes time, and it is not what is measured. */
async function peakOfText(size: number): Promise<number> {
  using place = new Workplace();
  const files = Math.ceil(size * 20);
  new Corpus(7).write(place.docs, files, { bytes: 50_000, blocksPerSection: 6 });
  const small = `{ type: qwen3, model: tiny, path: ${JSON.stringify(model)}, device: cpu }`;
  const short = "chunker: { type: structure, max_tokens: 128, overlap_tokens: 0 }";
  place.configure({ embedder: small, more: `${short}\ncache: { type: none }` });
  return await peakOf(place);
}
