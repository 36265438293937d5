/**
 * Runs seeded histories against the real engine: `node scripts/simulate.ts [COUNT] [--seed FIRST] [--workers N]`.
 * Prints the seeds that went wrong and exits 1 if any did. `--stop` ends at the first; `--trace SEED` tells the whole
 * story of one history.
 */
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { history } from "../src/testkit/simulation/index.ts";

interface Share {
  readonly first: number;
  readonly count: number;
  /** Histories between two reports. */
  readonly every: number;
}

interface Totals {
  histories: number;
  runs: number;
  crashes: number;
  wrong: { readonly seed: number; readonly violation: string }[];
}

async function simulate(
  { first, count, every }: Share,
  report: (totals: Totals) => void,
): Promise<void> {
  let totals: Totals = { histories: 0, runs: 0, crashes: 0, wrong: [] };
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await history(seed);
    totals.histories += 1;
    totals.runs += result.runs;
    totals.crashes += result.crashes;
    const [violation] = result.violations;
    if (violation !== undefined) totals.wrong.push({ seed, violation });
    if (totals.histories % every === 0 || seed === first + count - 1) {
      report(totals);
      totals = { histories: 0, runs: 0, crashes: 0, wrong: [] };
    }
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      workers: { type: "string" },
      stop: { type: "boolean" },
      trace: { type: "string" },
    },
  });
  if (values.trace !== undefined) {
    const { violations } = await history(Number(values.trace), console.log);
    console.log(violations.join("\n") || "nothing went wrong");
    return;
  }
  const every = values.stop === true ? 1 : 500;
  const count = Number(positionals[0] ?? 10_000);
  const first = Number(values.seed ?? 1);
  const workers = Number(values.workers ?? 2);
  const started = performance.now();
  const all: Totals = { histories: 0, runs: 0, crashes: 0, wrong: [] };
  const add = (totals: Totals): void => {
    all.histories += totals.histories;
    all.runs += totals.runs;
    all.crashes += totals.crashes;
    for (const wrong of totals.wrong) {
      all.wrong.push(wrong);
      if (all.wrong.length <= 20) console.log(`wrong: seed ${wrong.seed}: ${wrong.violation}`);
    }
    if (values.stop === true && all.wrong.length > 0) finish();
  };
  const finish = (): never => {
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${all.histories} histories, ${all.runs} runs, ${all.crashes} crashes, ${all.wrong.length} wrong, ` +
        `${seconds.toFixed(1)} s`,
    );
    process.exit(all.wrong.length === 0 ? 0 : 1);
  };
  if (workers <= 1) await simulate({ first, count, every }, add);
  else {
    const share = Math.ceil(count / workers);
    await Promise.all(
      Array.from({ length: workers }, (_, index) => {
        const begin = first + index * share;
        const data = { first: begin, count: Math.min(share, first + count - begin), every };
        return new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: data });
          worker.on("message", add);
          worker.on("error", reject);
          worker.on("exit", () => resolve());
        });
      }),
    );
  }
  finish();
}

if (isMainThread) await main();
else await simulate(workerData as Share, (totals) => parentPort?.postMessage(totals));
