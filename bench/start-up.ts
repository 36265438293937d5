import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atMost, type BenchRow } from "./row.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The whole process of the bin that validates a small file. */
export function startUpRows(): readonly BenchRow[] {
  const times = Array.from({ length: 9 }, () => {
    const started = performance.now();
    const args = [`${root}bin/sluice.js`, "validate", `${root}pipelines/quickstart.yaml`];
    execFileSync(process.execPath, args, { stdio: "ignore" });
    return performance.now() - started;
  }).toSorted((a, b) => a - b);
  const median = times[4] ?? Infinity;
  const note = "whole process, median of 9";
  return [atMost({ name: "start-up: validate", unit: "ms", reach: 300, reached: median, note })];
}
