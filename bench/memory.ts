import { execFile } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { allocator, nodeOptions } from "../bin/memory-settings.js";
import { Corpus } from "./corpus.ts";
import { peakMb } from "./peak.ts";
import { atMost, type BenchRow } from "./row.ts";
import { Workplace } from "./workplace.ts";

/** Peak resident memory of a whole process that runs a pipeline, with the launcher's settings, in megabytes. */
export async function peakOf(place: Workplace): Promise<number> {
  const script = fileURLToPath(import.meta.url);
  const env = { ...process.env, ...allocator };
  const options = { env, maxBuffer: 1 << 20 };
  const args = [...nodeOptions, script, place.file];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return Number(stdout);
}

export async function memoryRows(): Promise<readonly BenchRow[]> {
  const few = await documentsPeak(1_000);
  const many = await documentsPeak(100_000);
  const perDocument = ((many - few) * 1024) / 99_000;
  return [
    atMost({
      name: "memory per document",
      unit: "KB",
      reach: 0.5,
      reached: perDocument,
      note: `peak resident ${few.toFixed(0)} MB at 1,000 and ${many.toFixed(0)} MB at 100,000 documents`,
    }),
    await largeFileRow(),
  ];
}

async function documentsPeak(documents: number): Promise<number> {
  using place = new Workplace();
  for (let file = 0; file < documents; file += 1) {
    const folder = join(place.docs, String(Math.floor(file / 1000)));
    if (file % 1000 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${file}.md`), `# Page ${file}\n\nText of page ${file}.\n`);
  }
  place.configure({ embedder: "{ type: lexical, native_dimension: 64 }" });
  return await peakOf(place);
}

async function largeFileRow(): Promise<BenchRow> {
  using place = new Workplace();
  const corpus = new Corpus(4);
  mkdirSync(place.docs);
  const file = openSync(join(place.docs, "large.txt"), "w");
  const part = Array.from({ length: 2000 }, () => corpus.paragraph());
  for (let written = 0; written < 500e6;) {
    const text = part.map((paragraph) => `${written} ${paragraph}`).join("\n\n");
    written += writeSync(file, `${text}\n\n`);
  }
  closeSync(file);
  place.configure({ embedder: "{ type: lexical }", more: "limits: { parse_timeout_ms: 3600000 }" });
  const peak = await peakOf(place);
  const note =
    "one text file, lexical vectors of 1,024 numbers, LanceDB; allocator settings of the launcher";
  return atMost({ name: "a text file of 500 MB", unit: "MB", reach: 600, reached: peak, note });
}

const [file] = process.argv.slice(2);
if (import.meta.main && file !== undefined) {
  const { loadPipeline } = await import("../src/load-pipeline.ts");
  const { closePipeline, run } = await import("../src/engine/index.ts");
  const pipeline = await loadPipeline(file);
  const { summary } = await run(pipeline);
  await closePipeline(pipeline);
  if (summary.status !== "succeeded") throw new Error(JSON.stringify(summary));
  console.log(peakMb());
}
