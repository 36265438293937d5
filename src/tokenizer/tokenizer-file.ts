import { z } from "zod";
import type { BytePairModel, BytePairVocabulary } from "./byte-pair-model.ts";
import { qwenPattern } from "./pre-tokens.ts";

const addedToken = z.object({
  id: z.int().min(0),
  content: z.string().min(1),
  single_word: z.literal(false),
  lstrip: z.literal(false),
  rstrip: z.literal(false),
  normalized: z.literal(false),
});

/** The one shape of `tokenizer.json` that the project counts by itself: byte-level BPE as in Qwen 2, 2.5 and 3. */
const qwenFile = z.object({
  added_tokens: z.array(addedToken),
  normalizer: z.object({ type: z.literal("NFC") }),
  pre_tokenizer: z.object({
    type: z.literal("Sequence"),
    pretokenizers: z.tuple([
      z.object({
        type: z.literal("Split"),
        pattern: z.object({ Regex: z.literal(qwenPattern) }),
        behavior: z.literal("Isolated"),
        invert: z.literal(false),
      }),
      z.object({
        type: z.literal("ByteLevel"),
        add_prefix_space: z.literal(false),
        use_regex: z.literal(false),
      }),
    ]),
  }),
  model: z.object({
    type: z.literal("BPE").optional(),
    dropout: z.null().optional(),
    unk_token: z.null().optional(),
    continuing_subword_prefix: z.union([z.literal(""), z.null()]).optional(),
    end_of_word_suffix: z.union([z.literal(""), z.null()]).optional(),
    byte_fallback: z.literal(false).optional(),
    ignore_merges: z.literal(false).optional(),
    vocab: z.custom<Readonly<Record<string, number>>>(
      (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    ),
    merges: z.custom<readonly (string | readonly [string, string])[]>(Array.isArray),
  }),
});

/** Reads a `tokenizer.json`; undefined when it is of another kind than this project counts by itself. */
export function bytePairModelOf(file: unknown): BytePairModel | undefined {
  return readModel(file)?.model;
}

/** The same with the ids of all tokens; undefined also when a token has none. */
export function bytePairVocabularyOf(file: unknown): BytePairVocabulary | undefined {
  const read = readModel(file);
  if (read === undefined) return undefined;
  const { model, symbols, parsed } = read;
  const { vocab } = parsed.model;
  const ids = new Int32Array(symbols.size);
  for (const [token, symbol] of symbols) {
    const id = vocab[token];
    if (id === undefined || !Number.isSafeInteger(id) || id < 0) return undefined;
    ids[symbol] = id;
  }
  const addedIds = new Map(parsed.added_tokens.map(({ content, id }) => [content, id]));
  return { model, ids, addedIds };
}

interface ReadModel {
  readonly model: BytePairModel;
  readonly symbols: ReadonlyMap<string, number>;
  readonly parsed: z.output<typeof qwenFile>;
}

function readModel(file: unknown): ReadModel | undefined {
  const checked = qwenFile.safeParse(file);
  if (!checked.success) return undefined;
  const parsed = checked.data;
  const { merges } = parsed.model;
  const symbols = byteSymbols();
  const lefts = new Uint32Array(merges.length);
  const rights = new Uint32Array(merges.length);
  const results = new Uint32Array(merges.length);
  let nextSymbol = 256;
  for (const [rank, merge] of merges.entries()) {
    const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
    if (left === undefined || right === undefined) return undefined;
    const leftSymbol = symbols.get(left);
    const rightSymbol = symbols.get(right);
    if (leftSymbol === undefined || rightSymbol === undefined) return undefined;
    let result = symbols.get(left + right);
    if (result === undefined) {
      result = nextSymbol++;
      symbols.set(left + right, result);
    }
    lefts[rank] = leftSymbol;
    rights[rank] = rightSymbol;
    results[rank] = result;
  }
  const addedTokens = parsed.added_tokens.map((token) => token.content);
  return { model: { lefts, rights, results, addedTokens }, symbols, parsed };
}

/** The letters that stand for bytes in byte-level BPE: printable Latin-1 for itself, the rest from U+0100 on. */
function byteSymbols(): Map<string, number> {
  const symbols = new Map<string, number>();
  let stand = 0x01_00;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    symbols.set(String.fromCharCode(printable ? byte : stand++), byte);
  }
  return symbols;
}
