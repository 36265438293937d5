import type { BytePairModel } from "./byte-pair-model.ts";
import { cachedUnits, PreTokenCache } from "./pre-token-cache.ts";
import { PreTokenMerger } from "./pre-token-merger.ts";

/** Counts the tokens of pre-tokens. */
export class BytePairCounter {
  readonly #merger: PreTokenMerger;
  readonly #cache = new PreTokenCache();

  constructor(model: BytePairModel) {
    this.#merger = new PreTokenMerger(model);
  }

  /** The tokens of the pre-token at `start` … `end` of a text. */
  count(text: string, start: number, end: number): number {
    const units = end - start;
    if (units === 1 && text.charCodeAt(start) < 0x80) return 1;
    if (units > cachedUnits) return this.#merger.merge(text, start, end);
    const known = this.#cache.get(text, start, end);
    if (known > 0) return known;
    const count = this.#merger.merge(text, start, end);
    this.#cache.add(text, start, end, count);
    return count;
  }
}
