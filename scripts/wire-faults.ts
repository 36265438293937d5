/**
 * Plays every fault at every store and moment: `node scripts/wire-faults.ts [--seed N] [--only TEXT]`. Four stores, on
 * real servers where there are some, are kept equal to a folder that changes. The tests are those of
 * `test/live/fan-out`, of which `npm run test:live` plays a part. Prints a line for each fault and store, and exits 1 if
 * anything went wrong. `--only` plays what has the text in its name; the same seed plays the same again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Finding } from "../test/live/fan-out/support/report.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, only: { type: "string" } },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
if (!Number.isSafeInteger(seed)) throw new TypeError("--seed must be a whole number.");
const folder = await mkdtemp(join(tmpdir(), "sluice-wire-faults-"));
try {
  process.exitCode = await main(join(folder, "report.jsonl"));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function main(report: string): Promise<number> {
  const started = performance.now();
  console.log(`Seed ${seed}.`);
  const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
  const only = values.only === undefined ? [] : ["-t", values.only];
  const args = ["run", "--config", "vitest.live.config.ts", "test/live/fan-out", ...only];
  const child = spawn(process.execPath, [vitest, ...args, "--reporter=verbose"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      REQUIRE_LIVE: "1",
      SLUICE_LIVE_SERVERS: "milvus,weaviate",
      SLUICE_WIRE_FAULTS: "all",
      SLUICE_WIRE_SEED: String(seed),
      SLUICE_WIRE_REPORT: report,
    },
  });
  const [code] = await once(child, "close");
  const lines = await readFile(report, "utf8").catch(() => "");
  const findings = lines.split("\n").flatMap((line) => (line === "" ? [] : [readFinding(line)]));
  tell(findings);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.log(`${findings.length} rounds with seed ${seed} in ${minutes} minutes.`);
  return code === 0 ? 0 : 1;
}

function readFinding(line: string): Finding {
  return JSON.parse(line) as Finding;
}

/** A line for each fault: how many rounds, how many runs bore it, and how long the runs and those after them took. */
function tell(findings: readonly Finding[]): void {
  const byFault = Map.groupBy(findings, ({ fault, store }) => `${fault}, ${store}`);
  for (const [name, rounds] of [...byFault].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const borne = rounds.filter(({ exitCode }) => exitCode === 0).length;
    const broken = longest(rounds.map(({ brokenMs }) => brokenMs));
    const repair = longest(rounds.map(({ repairMs }) => repairMs));
    console.log(
      `${name}: ${rounds.length} rounds, borne ${borne}, longest run ${broken} s, longest next run ${repair} s`,
    );
  }
}

function longest(milliseconds: readonly number[]): string {
  return (Math.max(...milliseconds) / 1000).toFixed(1);
}
