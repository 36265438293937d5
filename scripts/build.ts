/**
 * Makes `dist`, what the published package runs: JavaScript and declarations of `src` and `connectors`, and the
 * compact tokenizer with its notice. `node scripts/build.ts`
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deriveTokenizer } from "./derive-tokenizer.ts";

const root = new URL("../", import.meta.url);

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, root));
}

rmSync(pathOf("dist"), { recursive: true, force: true });
execFileSync(
  process.execPath,
  [pathOf("node_modules/typescript/bin/tsc"), "-p", pathOf("tsconfig.build.json")],
  { stdio: "inherit" },
);
await deriveTokenizer(pathOf("dist/assets"));
