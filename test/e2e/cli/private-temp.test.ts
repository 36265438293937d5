import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("a command leaves nothing in the temporary folder, and clears up after a killed one", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-temp-"));
  const temp = join(folder, "temp");
  // No process has this number: it is beyond the largest that Linux gives out.
  const abandoned = join(temp, "sluice-process-4194999-abcdef");
  mkdirSync(abandoned, { recursive: true });
  utimesSync(abandoned, 0, 0);
  mkdirSync(join(folder, "docs"));
  writeFileSync(join(folder, "docs", "a.md"), "# A\n\nWater flows.\n");
  writeFileSync(
    join(folder, "p.yaml"),
    "version: 1\nname: temp\nsources:\n  docs: { type: files, root: docs }\n" +
      "embedder: { type: lexical }\nsinks:\n  index: { type: lancedb, uri: index, collection: c }\n",
  );
  const sluice = (...args: string[]): void => {
    execFileSync(process.execPath, [join(root, "bin/sluice.js"), ...args], {
      cwd: folder,
      env: { ...process.env, TMPDIR: temp, HOME: folder },
    });
  };
  sluice("run", "p.yaml");
  sluice("query", "p.yaml", "water");
  expect(readdirSync(temp).filter((name) => name !== "node-compile-cache")).toEqual([]);
  rmSync(folder, { recursive: true });
});
