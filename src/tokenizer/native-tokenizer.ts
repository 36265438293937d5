import type { Encoding, Tokenizer as NativeHandle } from "tokenizers";
import type { TokenPieces, Tokenizer } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { PieceList } from "./piece-list.ts";

/** Texts per native call; each keeps all its tokens as objects for the moment. */
const textsPerCall = 64;

/** Any other tokenizer: the native package on whole texts. Slower, and as exact as that package. */
export class NativeTokenizer implements Tokenizer {
  readonly id: string;
  readonly exact = true;
  readonly #handle: NativeHandle;

  constructor(id: string, handle: NativeHandle) {
    this.id = id;
    this.#handle = handle;
  }

  async countBatch(texts: readonly string[]): Promise<number[]> {
    const counts: number[] = [];
    await this.#encode(texts, (encoding) => counts.push(encoding.getLength()));
    return counts;
  }

  async pieces(texts: readonly string[]): Promise<readonly TokenPieces[]> {
    const pieces: TokenPieces[] = [];
    await this.#encode(texts, (encoding, text) => pieces.push(piecesOf(encoding, text)));
    return pieces;
  }

  /** The ids of each text, without special tokens. */
  async encode(texts: readonly string[]): Promise<readonly Int32Array[]> {
    const ids: Int32Array[] = [];
    await this.#encode(texts, (encoding) => ids.push(Int32Array.from(encoding.getIds())));
    return ids;
  }

  async #encode(
    texts: readonly string[],
    use: (encoding: Encoding, text: string) => void,
  ): Promise<void> {
    for (let first = 0; first < texts.length; first += textsPerCall) {
      const batch = texts.slice(first, first + textsPerCall).map((text) => text.toWellFormed());
      const encodings = await this.#handle.encodeBatch(batch, { addSpecialTokens: false });
      for (const [index, encoding] of encodings.entries()) use(encoding, batch[index] ?? "");
    }
  }
}

/** Borders between words. Offsets of the native package count code points of the original text. */
function piecesOf(encoding: Encoding, text: string): TokenPieces {
  const list = new PieceList(text.length);
  const words = encoding.getWordIds();
  const offsets = encoding.getOffsets();
  let tokens = 0;
  let point = 0;
  let unit = 0;
  let reported = 0;
  for (const [index, offset] of offsets.entries()) {
    tokens += 1;
    const isLast = index === offsets.length - 1;
    const word = words[index];
    if (!isLast && word === words[index + 1] && word !== null && word !== undefined) continue;
    const end = isLast ? Number.POSITIVE_INFINITY : (offset[1] ?? point);
    while (unit < text.length && point < end) {
      unit += (text.codePointAt(unit) ?? 0) > 0xff_ff ? 2 : 1;
      point += 1;
    }
    if (unit === reported) continue;
    list.add(unit, tokens);
    reported = unit;
    tokens = 0;
  }
  if (reported < text.length) list.add(text.length, tokens);
  return list.finish();
}

/** Loads the native package and a `tokenizer.json` into it. */
export async function openNative(id: string, json: string, path: string): Promise<NativeTokenizer> {
  const { Tokenizer: Native } = await import("tokenizers").catch((cause: unknown) => {
    throw new Fault(
      "package.missing",
      "The package `tokenizers` cannot be loaded. Install it for this platform.",
      { cause },
    );
  });
  try {
    const handle = Native.fromString(json);
    handle.disableTruncation();
    handle.disablePadding();
    return new NativeTokenizer(id, handle);
  } catch (cause) {
    throw new Fault(
      "config.invalid",
      `\`${path}\` is not a tokenizer: expected a \`tokenizer.json\` of Hugging Face tokenizers.`,
      { cause },
    );
  }
}
