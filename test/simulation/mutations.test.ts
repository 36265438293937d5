import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { mutations } from "./mutations.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** A mutation that survives this many histories is not caught. */
const histories = "6000";

function simulate(mutation: string): Promise<string> {
  const hooks = `${root}test/simulation/mutate-on-load.ts`;
  const script = `${root}scripts/simulate.ts`;
  const args = ["--import", hooks, script, histories, "--workers", "1", "--stop"];
  const env = { ...process.env, MUTATION: mutation };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 1 << 24 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

describe.concurrent("the simulation", () => {
  it.each(mutations)("catches: $name", { timeout: 120_000 }, async ({ name, file, find }) => {
    const source = await readFile(root + file, "utf8");
    expect(source.split(find)).toHaveLength(2);
    const output = await simulate(name);
    expect(output).toMatch(/^wrong: seed \d+: (?!a bug)/m);
  });
});
