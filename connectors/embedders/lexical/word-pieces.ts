import type { TokenPieces, Tokenizer } from "../../../src/contracts/index.ts";

const letters = "\\p{L}\\p{M}\\p{N}";
const single =
  "\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}";
/** White space goes with what follows it. Nothing is longer than 22 characters, so a text can be cut anywhere near. */
const piece = new RegExp(
  `\\s{0,16}(?:[[${letters}]&&[${single}]]|[[${letters}]--[${single}]]{1,6}|[^\\s${letters}]{1,3})|\\s{1,16}`,
  "gv",
);

/**
 * Counts in pieces of words: up to six letters, one character of scripts without spaces, up to three signs. It is the
 * measure of this embedder, which has no vocabulary, and near what language models count.
 */
export const wordPieces: Tokenizer = {
  id: "word-pieces-1",
  exact: true,
  countBatch: async (texts) => texts.map((text) => endsOf(text).length),
  pieces: async (texts) => texts.map((text) => piecesOf(text)),
};

function piecesOf(text: string): TokenPieces {
  const ends = Uint32Array.from(endsOf(text));
  return { ends, counts: ends.map((_, index) => index + 1) };
}

function endsOf(text: string): number[] {
  const ends: number[] = [];
  piece.lastIndex = 0;
  while (piece.test(text)) ends.push(piece.lastIndex);
  return ends;
}
