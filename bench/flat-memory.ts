import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { allocator, nodeOptions } from "../bin/memory-settings.js";
import { Corpus } from "./corpus.ts";
import { forgetful } from "./forgetful-sink.ts";
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

/** Text through a server that answers at once: what grows with the text, and not with what is in flight. */
export async function flatMemoryRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  await using server = await StubServer.start("--forget");
  new Corpus(7).write(place.docs, documents, { bytes: 50_000, blocksPerSection: 6 });
  const more = "chunker: { type: structure, max_tokens: 400 }\ncache: { type: none }";
  place.configure({ embedder: server.embedder, more });
  const thrown = rowOf("writes thrown away", await courseOf(place.file, "forget"));
  place.reset();
  return [thrown, rowOf("into LanceDB", await courseOf(place.file, "keep"))];
}

async function courseOf(file: string, writes: "keep" | "forget"): Promise<Course> {
  const script = fileURLToPath(import.meta.url);
  const env = { ...process.env, ...allocator };
  const args = [...nodeOptions, script, file, writes];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Course;
}

function rowOf(where: string, course: Course): BenchRow {
  const { residentMb, seconds } = course;
  const [, second = Number.NaN] = residentMb;
  const tenths = residentMb.map((value) => value.toFixed(0)).join(", ");
  const rate = (megabytes / seconds).toFixed(1);
  return atMost({
    name: `memory on the way through ${megabytes} MB of text, ${where}`,
    unit: "times",
    reach: 1.25,
    reached: (residentMb.at(-1) ?? Number.NaN) / second,
    note: `resident MB at each tenth ${tenths}; peak ${course.peakMb.toFixed(0)}; ${rate} MB/s`,
  });
}

/** The child: runs the pipeline, and prints its course. */
async function measure(file: string, forgets: boolean): Promise<Course> {
  const { loadPipeline } = await import("../src/load-pipeline.ts");
  const { closePipeline, run } = await import("../src/engine/index.ts");
  const loaded = await loadPipeline(file);
  const sinks = [...loaded.sinks].map(
    ([name, one]) => [name, forgets ? { ...one, sink: forgetful(one.sink) } : one] as const,
  );
  const pipeline = { ...loaded, sinks: new Map(sinks) };
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

const [file, writes] = process.argv.slice(2);
if (import.meta.main && file !== undefined) {
  console.log(JSON.stringify(await measure(file, writes === "forget")));
}
