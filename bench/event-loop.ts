import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { qwen3Embedder } from "../connectors/embedders/qwen3/index.ts";
import type { Embedder } from "../src/contracts/index.ts";
import { systemClock } from "../src/flow/index.ts";
import { atMost, type BenchRow } from "./row.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const resolutionMs = 1;
/** A busy machine delays every thread: the quietest of some rounds tells most of what embedding does. */
const rounds = 3;

interface Delays {
  /** The longest time in which the event loop could not turn, by the clock. */
  readonly longest: number;
  readonly p99: number;
  /** The most time that this thread itself ran between two turns: others had the cores for the rest. */
  readonly ran: number;
  /** The longest pause of the garbage collector. */
  readonly collector: number;
  readonly texts: number;
  readonly seconds: number;
}

/** How long the main thread can do nothing else while a model embeds in the process, tokenizing included. */
export async function eventLoopRows(): Promise<readonly BenchRow[]> {
  const config = qwen3Embedder.config.parse({
    model: "tiny",
    path: join(root, "test/fixtures/tiny-qwen3"),
    device: "cpu",
  });
  const context = { name: "embedder", pipeline: "bench", folder: root, clock: systemClock };
  const embedder = qwen3Embedder.create(config, { ...context, fields: {} });
  try {
    await embedder.open(new AbortController().signal);
    const measured: Delays[] = [];
    for (let round = 0; round < rounds; round += 1) measured.push(await embedAll(embedder));
    const best = measured.reduce((least, one) => (one.longest < least.longest ? one : least));
    const all = measured.map(({ longest }) => `${longest.toFixed(0)} ms`).join(", ");
    return [
      atMost({
        name: "event loop delayed by embedding",
        unit: "ms",
        reach: 50,
        reached: best.longest,
        note:
          `by the clock, with all that others do to the machine; rounds: ${all}; of the best, 99 % below ` +
          `${best.p99.toFixed(1)} ms, the thread itself ran ${best.ran.toFixed(1)} ms at most, longest garbage collection ` +
          `${best.collector.toFixed(1)} ms; ${best.texts} texts in ${best.seconds.toFixed(1)} s`,
      }),
    ];
  } finally {
    await embedder.close();
  }
}

async function embedAll(embedder: Embedder): Promise<Delays> {
  const calls = callsOf(realTexts(2_000), 250);
  let collector = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collector = Math.max(collector, duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  let ran = 0;
  let before = threadMs();
  const timer = setInterval(() => {
    const now = threadMs();
    ran = Math.max(ran, now - before);
    before = now;
  }, resolutionMs);
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const started = performance.now();
  const { signal } = new AbortController();
  for (let first = 0; first < calls.length; first += 2) {
    const pair = calls.slice(first, first + 2);
    await Promise.all(pair.map((texts) => embedder.embed(texts, "document", signal)));
  }
  const seconds = (performance.now() - started) / 1000;
  histogram.disable();
  clearInterval(timer);
  // Entries are told in a turn of their own.
  await new Promise((resolve) => void setImmediate(resolve));
  observer.disconnect();
  const [longest, p99] = [histogram.max, histogram.percentile(99)].map(
    (nanoseconds) => nanoseconds / 1e6 - resolutionMs,
  );
  const texts = calls.reduce((sum, call) => sum + call.length, 0);
  return { longest: longest ?? Infinity, p99: p99 ?? Infinity, ran, collector, texts, seconds };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const unitsPerText = 400;

/** Pieces of real Markdown: the documentation of the packages that the project depends on. */
function realTexts(most: number): readonly string[] {
  const texts: string[] = [];
  for (const path of globSync("node_modules/**/*.md", { cwd: root }).toSorted()) {
    const text = readFileSync(join(root, path), "utf8");
    for (let start = 0; start < text.length; start += unitsPerText) {
      texts.push(text.slice(start, start + unitsPerText));
      if (texts.length === most) return texts;
    }
  }
  return texts;
}

function callsOf(texts: readonly string[], size: number): readonly (readonly string[])[] {
  const count = Math.ceil(texts.length / size);
  return Array.from({ length: count }, (_, index) => texts.slice(index * size, (index + 1) * size));
}
