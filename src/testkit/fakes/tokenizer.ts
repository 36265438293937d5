import type { TokenPieces, Tokenizer } from "../../contracts/index.ts";

const token = /\s*[^\s]{1,4}|\s+$/gu;

/** A tokenizer whose tokens are at most four characters of one word, each with the white space before it. */
export function createFakeTokenizer(): Tokenizer {
  return {
    id: "fake-four-characters",
    exact: true,
    countBatch: async (texts) => texts.map((text) => text.match(token)?.length ?? 0),
    pieces: async (texts) => texts.map(pieces),
  };
}

function pieces(text: string): TokenPieces {
  const ends = [...text.matchAll(token)].map((match) => match.index + match[0].length);
  return { ends: Uint32Array.from(ends), counts: Uint32Array.from(ends, (_, index) => index + 1) };
}
