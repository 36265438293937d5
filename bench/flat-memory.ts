import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { allocator, nodeOptions } from "../bin/memory-settings.js";
import { Corpus } from "./corpus.ts";
import { peakMb } from "./peak.ts";
import { atMost, type BenchRow } from "./row.ts";
import { StubServer, Workplace } from "./workplace.ts";

/** Megabytes of text, or as many as `SLUICE_BENCH_MB` says; 1,000 take half an hour on two busy cores. */
const megabytes = Number(process.env["SLUICE_BENCH_MB"] ?? 100);
/** Documents of 50 KB. */
const documents = megabytes * 20;
const points = 10;

/** What a run holds on its way, in megabytes, with the launcher's settings. */
interface Course {
  /** After each tenth of the documents. */
  readonly residentMb: readonly number[];
  readonly peakMb: number;
  readonly seconds: number;
}

/** Text through a server that answers at once into LanceDB: what grows with the text, and not with what is in flight. */
export async function flatMemoryRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  await using server = await StubServer.start("--forget");
  new Corpus(7).write(place.docs, documents, { bytes: 50_000, blocksPerSection: 6 });
  const more = "chunker: { type: structure, max_tokens: 400 }\ncache: { type: none }";
  place.configure({ embedder: server.embedder, more });
  const script = fileURLToPath(import.meta.url);
  const env = { ...process.env, ...allocator };
  const args = [...nodeOptions, script, place.file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const course = JSON.parse(stdout) as Course;
  const [, second = Number.NaN] = course.residentMb;
  const last = course.residentMb.at(-1) ?? Number.NaN;
  const tenths = course.residentMb.map((value) => value.toFixed(0)).join(", ");
  const rate = (megabytes / course.seconds).toFixed(1);
  return [
    atMost({
      name: `memory on the way through ${megabytes} MB of text`,
      unit: "times",
      reach: 1.25,
      reached: last / second,
      note: `resident MB at each tenth ${tenths}; peak ${course.peakMb.toFixed(0)}; ${rate} MB/s`,
    }),
  ];
}

/** The child: runs the pipeline, and prints its course. */
async function measure(file: string): Promise<Course> {
  const { loadPipeline } = await import("../src/load-pipeline.ts");
  const { closePipeline, run } = await import("../src/engine/index.ts");
  const pipeline = await loadPipeline(file);
  const residentMb: number[] = [];
  let settled = 0;
  const started = performance.now();
  const { summary } = await run(pipeline, {
    observe: (event) => {
      if (event.kind !== "document-settled") return;
      settled += 1;
      if (settled >= (documents * (residentMb.length + 1)) / points) residentMb.push(nowMb());
    },
  });
  const seconds = (performance.now() - started) / 1000;
  await closePipeline(pipeline);
  if (summary.status !== "succeeded") throw new Error(JSON.stringify(summary));
  return { residentMb, peakMb: peakMb(), seconds };
}

function nowMb(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

const [file] = process.argv.slice(2);
if (import.meta.main && file !== undefined) console.log(JSON.stringify(await measure(file)));
