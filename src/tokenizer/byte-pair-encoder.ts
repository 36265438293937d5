import type { BytePairVocabulary } from "./byte-pair-model.ts";
import { normalize } from "./normalize.ts";
import { cachedUnits, poolUnits, PreTokenCache } from "./pre-token-cache.ts";
import { PreTokenMerger } from "./pre-token-merger.ts";
import { preTokenEnd } from "./pre-tokens.ts";
import { addedPattern, forEachSection, sectionOf } from "./sections.ts";

/** A UTF-16 unit has at most three bytes, and a token at least one. */
const tokensPerUnit = 3;

/**
 * Gives the token ids of texts as the model's own tokenizer does, without the special tokens that the model adds: the
 * twin of `BytePairTokenizer`, which only counts. A literal added token is that token, a lone surrogate U+FFFD.
 */
export class BytePairEncoder {
  readonly #vocabulary: BytePairVocabulary;
  readonly #merger: PreTokenMerger;
  readonly #added: RegExp | undefined;
  readonly #cache = new PreTokenCache();
  /** The ids of the pre-tokens in the cache, where it keeps their text. */
  readonly #known = new Int32Array(poolUnits * tokensPerUnit);
  #ids = new Int32Array(1024);
  #length = 0;

  constructor(vocabulary: BytePairVocabulary) {
    this.#vocabulary = vocabulary;
    this.#merger = new PreTokenMerger(vocabulary.model);
    this.#added = addedPattern(vocabulary.model.addedTokens);
  }

  /** The ids of a text; its own copy. */
  encode(text: string): Int32Array<ArrayBuffer> {
    this.#length = 0;
    const wellFormed = text.toWellFormed();
    forEachSection(this.#added, wellFormed, (start, end, isAdded) => {
      const section = sectionOf(wellFormed, start, end);
      if (isAdded) this.#push(this.#vocabulary.addedIds.get(section) ?? 0);
      else this.#encodeSection(normalize(section));
    });
    return this.#ids.slice(0, this.#length);
  }

  #encodeSection(text: string): void {
    for (let start = 0; start < text.length;) {
      const end = preTokenEnd(text, start, text.length);
      this.#encodePreToken(text, start, end);
      start = end;
    }
  }

  #encodePreToken(text: string, start: number, end: number): void {
    const cached = end - start <= cachedUnits;
    const known = cached ? this.#cache.get(text, start, end) : 0;
    if (known > 0) {
      const offset = this.#cache.offset * tokensPerUnit;
      this.#reserve(known);
      for (let index = 0; index < known; index += 1) {
        this.#ids[this.#length++] = this.#known[offset + index] ?? 0;
      }
      return;
    }
    const count = this.#merger.merge(text, start, end);
    const { symbols } = this.#merger;
    const { ids } = this.#vocabulary;
    const first = this.#length;
    this.#reserve(count);
    for (let index = 0; index < count; index += 1) {
      this.#ids[this.#length++] = ids[symbols[index] ?? 0] ?? 0;
    }
    if (!cached) return;
    this.#cache.add(text, start, end, count);
    this.#known.set(this.#ids.subarray(first, this.#length), this.#cache.offset * tokensPerUnit);
  }

  #push(id: number): void {
    this.#reserve(1);
    this.#ids[this.#length++] = id;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#ids.length) return;
    const larger = new Int32Array(Math.max(this.#ids.length * 2, this.#length + count));
    larger.set(this.#ids.subarray(0, this.#length));
    this.#ids = larger;
  }
}
