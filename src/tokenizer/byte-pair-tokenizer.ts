import type { TokenPieces, Tokenizer } from "../contracts/index.ts";
import { BytePairCounter } from "./byte-pair-counter.ts";
import type { BytePairModel } from "./byte-pair-model.ts";
import { normalize, type Normalized, normalizeWithBorders } from "./normalize.ts";
import { PieceList } from "./piece-list.ts";
import { isCutKept, preTokenEnd } from "./pre-tokens.ts";
import { addedPattern, forEachSection, sectionOf } from "./sections.ts";

/** After this many UTF-16 units of work the event loop gets a turn. */
const unitsPerTurn = 1 << 20;

/**
 * Counts as the model's own tokenizer does, without it: byte-level BPE works inside pre-tokens, so counts add up over
 * them and most pre-tokens are in a cache. Equal to the native tokenizer on every text, which the tests prove:
 * - text that is not NFC is normalized first; borders are given where they have a counterpart in the original;
 * - a literal added token (`<|im_end|>`, `<think>` …) counts as one, since the model's server reads it as one;
 * - a lone surrogate counts as U+FFFD.
 */
export class BytePairTokenizer implements Tokenizer {
  readonly id: string;
  readonly exact = true;
  readonly #load: () => Promise<BytePairModel>;
  #loaded: Promise<Loaded> | undefined;

  constructor(id: string, load: () => Promise<BytePairModel>) {
    this.id = id;
    this.#load = load;
  }

  countBatch(texts: readonly string[]): Promise<number[]> {
    return this.#each(texts, count);
  }

  pieces(texts: readonly string[]): Promise<readonly TokenPieces[]> {
    return this.#each(texts, pieces);
  }

  async #each<Result>(
    texts: readonly string[],
    work: (loaded: Loaded, text: string) => Result,
  ): Promise<Result[]> {
    const loaded = await this.#ready();
    const results: Result[] = [];
    let units = 0;
    for (const text of texts) {
      units += text.length;
      if (units > unitsPerTurn && results.length > 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        units = text.length;
      }
      results.push(work(loaded, text.toWellFormed()));
    }
    return results;
  }

  /** Loads once; a failed load is tried again by the next call. */
  #ready(): Promise<Loaded> {
    this.#loaded ??= this.#load().then(
      (model) => ({
        counter: new BytePairCounter(model),
        added: addedPattern(model.addedTokens),
      }),
      (error: unknown) => {
        this.#loaded = undefined;
        throw error;
      },
    );
    return this.#loaded;
  }
}

interface Loaded {
  readonly counter: BytePairCounter;
  /** Finds added tokens, the longest of those that begin at one place. */
  readonly added: RegExp | undefined;
}

function count(loaded: Loaded, text: string): number {
  let tokens = 0;
  forEachSection(loaded.added, text, (start, end, isAdded) => {
    if (isAdded) tokens += 1;
    else tokens += countSection(loaded.counter, normalize(sectionOf(text, start, end)));
  });
  return tokens;
}

function countSection(counter: BytePairCounter, text: string): number {
  let tokens = 0;
  for (let start = 0; start < text.length;) {
    const end = preTokenEnd(text, start, text.length);
    tokens += counter.count(text, start, end);
    start = end;
  }
  return tokens;
}

function pieces(loaded: Loaded, text: string): TokenPieces {
  const list = new PieceList(text.length);
  forEachSection(loaded.added, text, (start, end, isAdded) => {
    if (isAdded) {
      list.add(end, 1);
      return;
    }
    const section = sectionOf(text, start, end);
    const normalized = normalize(section);
    if (normalized === section) addPlainSection(loaded.counter, section, start, list);
    else addMappedSection(loaded.counter, normalizeWithBorders(section), start, list);
  });
  return list.finish();
}

function addPlainSection(
  counter: BytePairCounter,
  text: string,
  offset: number,
  list: PieceList,
): void {
  let tokens = 0;
  for (let start = 0; start < text.length;) {
    const end = preTokenEnd(text, start, text.length);
    tokens += counter.count(text, start, end);
    if (isCutKept(text, start, end)) {
      list.add(offset + end, tokens);
      tokens = 0;
    }
    start = end;
  }
}

/** Gives only the borders that the original has too; a piece without one joins the next. */
function addMappedSection(
  counter: BytePairCounter,
  { text, normalizedEnds, originalEnds }: Normalized,
  offset: number,
  list: PieceList,
): void {
  let tokens = 0;
  let segment = 0;
  for (let start = 0; start < text.length;) {
    const end = preTokenEnd(text, start, text.length);
    tokens += counter.count(text, start, end);
    while ((normalizedEnds[segment] ?? end) < end) segment += 1;
    if (normalizedEnds[segment] === end && isCutKept(text, start, end)) {
      list.add(offset + (originalEnds[segment] ?? 0), tokens);
      tokens = 0;
    }
    start = end;
  }
}
