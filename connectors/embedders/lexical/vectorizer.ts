import { assert } from "../../../src/faults/index.ts";
import { characterTerm, firstOctave, type Term, wordTerm } from "./term.ts";
import { nameParts, readWords } from "./words.ts";

/** Words whose terms are remembered; about 12 MB. Forgetting them changes no vector. */
const mostRemembered = 20_000;
/** After this many words others get their turn. */
const wordsPerTurn = 8_192;
/** Characters that stand for a text without a word. */
const mostCharacters = 1_000;

interface Counted {
  readonly term: Term;
  count: number;
}

/** Turns texts into vectors of hashed words. */
export class Vectorizer {
  readonly #native: number;
  /** The power of two that holds `native`: a shorter vector is a prefix of a longer one. */
  readonly #dimension: number;
  #remembered = new Map<string, readonly Term[]>();

  constructor(native: number) {
    assert(native >= firstOctave, "A lexical vector has at least one octave.");
    this.#native = native;
    this.#dimension = 2 ** Math.ceil(Math.log2(native));
  }

  /** The vector of a text, of length 1; `turn` is awaited now and then while a long text is read. */
  async vectorize(text: string, turn: () => Promise<void>): Promise<Float32Array> {
    const counts = new Map<string, Counted>();
    let words = 0;
    for (const word of readWords(text)) {
      for (const term of this.#termsOf(word.text, word.unspaced)) {
        const counted = counts.get(term.key);
        if (counted === undefined) counts.set(term.key, { term, count: 1 });
        else counted.count += 1;
      }
      words += 1;
      if (words % wordsPerTurn === 0) await turn();
    }
    return this.#normalize(this.#sum(this.#meaningful([...counts.values()], text)));
  }

  #termsOf(word: string, unspaced: boolean): readonly Term[] {
    const known = this.#remembered.get(word);
    if (known !== undefined) return known;
    const terms = this.#makeTerms(word, unspaced);
    if (this.#remembered.size >= mostRemembered) this.#remembered = new Map();
    this.#remembered.set(copy(word), terms);
    return terms;
  }

  #makeTerms(word: string, unspaced: boolean): readonly Term[] {
    if (unspaced) return [characterTerm(word, this.#dimension)];
    const lower = word.toLowerCase();
    if (lower !== word) {
      const terms = this.#termsOf(lower, false);
      const parts = nameParts(word).filter((part) => part !== lower);
      return [...terms, ...parts.flatMap((part) => this.#termsOf(part, false))];
    }
    return [wordTerm(word, this.#dimension)];
  }

  /** Leaves out stop words, unless there is nothing else; a text without words has its characters. */
  #meaningful(words: readonly Counted[], text: string): readonly Counted[] {
    const meaningful = words.filter(({ term }) => !term.stop);
    if (meaningful.length > 0) return meaningful;
    if (words.length > 0) return words;
    const characters = new Set(text.slice(0, mostCharacters).replace(/\s+/g, ""));
    const list = characters.size === 0 ? [""] : [...characters];
    return list.map((one) => ({ term: characterTerm(one, this.#dimension), count: 1 }));
  }

  #sum(words: readonly Counted[]): Float64Array {
    const vector = new Float64Array(this.#dimension);
    for (const { term, count } of words) add(vector, term, dampen(count));
    const [first] = words;
    const cancelled = vector.subarray(0, firstOctave).every((number) => number === 0);
    // Two words may cancel each other out in the first octave; the shortest prefix must not be zero.
    if (cancelled && first !== undefined) {
      vector[first.term.positions[0] ?? 0] = first.term.values[0] ?? 1;
    }
    return vector;
  }

  #normalize(sum: Float64Array): Float32Array {
    let squares = 0;
    for (let index = 0; index < this.#native; index += 1) squares += (sum[index] ?? 0) ** 2;
    const scale = 1 / Math.sqrt(squares);
    const vector = new Float32Array(this.#native);
    for (let index = 0; index < this.#native; index += 1) vector[index] = (sum[index] ?? 0) * scale;
    return vector;
  }
}

/** A word is a slice that would keep its whole text in memory. */
function copy(word: string): string {
  return Buffer.from(word, "utf16le").toString("utf16le");
}

function add(vector: Float64Array, { positions, values }: Term, factor: number): void {
  for (let index = 0; index < positions.length; index += 1) {
    const position = positions[index] ?? 0;
    vector[position] = (vector[position] ?? 0) + (values[index] ?? 0) * factor;
  }
}

/** The count to the power of 5/8, by square roots alone, which are exact on every machine. */
function dampen(count: number): number {
  const root = Math.sqrt(count);
  return root * Math.sqrt(Math.sqrt(root));
}
