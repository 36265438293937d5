/** What is needed of a byte-level BPE tokenizer to count tokens. Symbols 0–255 are the bytes themselves. */
export interface BytePairModel {
  /** Left and right symbol of each merge, by rank. */
  readonly lefts: Uint32Array;
  readonly rights: Uint32Array;
  /** The symbol that each merge makes. */
  readonly results: Uint32Array;
  /** Added tokens, found literally in the text before anything else. */
  readonly addedTokens: readonly string[];
}

/** A model with the ids of its tokens. */
export interface BytePairVocabulary {
  readonly model: BytePairModel;
  /** The id of each symbol. */
  readonly ids: Int32Array;
  /** The id of each added token. */
  readonly addedIds: ReadonlyMap<string, number>;
}

/** Results of merges that all make new symbols: 256, 257, … */
export function consecutiveResults(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, rank) => 256 + rank);
}
