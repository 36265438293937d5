import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/simulate.ts", import.meta.url));

it(
  "10,000 seeded histories with crashes, lost answers and late writes end exact",
  {
    timeout: 180_000,
  },
  async () => {
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [script, "10000"], (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    expect(output).toMatch(/^10000 histories, \d+ runs, \d+ crashes, 0 wrong/m);
    const crashes = Number(/(\d+) crashes/.exec(output)?.[1]);
    expect(crashes).toBeGreaterThan(3000);
  },
);
