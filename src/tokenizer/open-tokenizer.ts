import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Tokenizer } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { BytePairTokenizer } from "./byte-pair-tokenizer.ts";
import { openNative } from "./native-tokenizer.ts";
import { qwen3Tokenizer } from "./qwen3.ts";
import { bytePairModelOf } from "./tokenizer-file.ts";

/**
 * Opens a tokenizer: `qwen3`, or the path of another model's `tokenizer.json`. Tokenizers of Qwen's kind are counted by
 * the project itself, all others by the native package. Its `id` names the file's content, not its path.
 */
export async function openTokenizer(idOrPath: string): Promise<Tokenizer> {
  if (idOrPath === "qwen3") return qwen3Tokenizer();
  const bytes = await readFile(idOrPath).catch((cause: unknown) => {
    throw new Fault(
      "config.invalid",
      `The tokenizer \`${idOrPath}\` cannot be read. Give \`qwen3\` or the path of a \`tokenizer.json\`.`,
      { cause },
    );
  });
  const json = bytes.toString("utf8");
  const id = `tokenizer-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  const model = bytePairModelOf(parse(json, idOrPath));
  if (model === undefined) return openNative(id, json, idOrPath);
  return new BytePairTokenizer(id, async () => model);
}

function parse(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new Fault(
      "config.invalid",
      `\`${path}\` is not a tokenizer: it is not JSON. Give the path of a \`tokenizer.json\`.`,
      { cause },
    );
  }
}
