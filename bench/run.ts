/**
 * `npm run bench [-- NAME …]`: measures, and prints the figure to reach beside the figure reached. Names: feeding,
 * service (a minute for each row), chunking, rerun, memory, sinks, start-up, peers, relevance, documentation, in-process,
 * event-loop;
 * all when left out. Machines are noisy: what can be is a ratio inside one run.
 */
import { chunkingBench } from "./chunking.ts";
import { cranfieldRows } from "./cranfield.ts";
import { documentationRows } from "./documentation.ts";
import { eventLoopRows } from "./event-loop.ts";
import { feedingRows, serviceRows } from "./feeding.ts";
import { flatMemoryRows } from "./flat-memory.ts";
import { inProcessRows } from "./in-process.ts";
import { memoryRows } from "./memory.ts";
import { peersRows } from "./peers.ts";
import { rerunRows } from "./rerun.ts";
import type { BenchRow } from "./row.ts";
import { benchSinks } from "./sinks/index.ts";
import { startUpRows } from "./start-up.ts";

const benchmarks: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  peers: peersRows,
  feeding: feedingRows,
  rerun: rerunRows,
  chunking: chunkingBench,
  "start-up": async () => startUpRows(),
  relevance: cranfieldRows,
  documentation: documentationRows,
  sinks: benchSinks,
  service: () => serviceRows(60),
  memory: memoryRows,
  "flat-memory": flatMemoryRows,
  "in-process": inProcessRows,
  "event-loop": eventLoopRows,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(", ")}; there are ${Object.keys(benchmarks).join(", ")}.`,
  );
  process.exit(2);
}
let short = 0;
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  for (const row of await benchmark()) {
    if (!row.ok) short += 1;
    console.log(line(row));
  }
}
console.log(short === 0 ? "Every figure reaches." : `${short} figures fall short.`);

function line({ name, unit, reach, reached, ok, note }: BenchRow): string {
  const relation = reached >= reach === ok ? "≥" : "≤";
  const figure = `${round(reached)} (to reach ${relation} ${round(reach)}) ${unit}`;
  return `${ok ? "ok   " : "SHORT"} ${name.padEnd(36)} ${figure}${note === undefined ? "" : `\n      ${note}`}`;
}

function round(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString("en");
}
