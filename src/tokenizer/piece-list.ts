import type { TokenPieces } from "../contracts/index.ts";

/** Collects pieces in arrays that grow as needed. */
export class PieceList {
  #ends: Uint32Array;
  #counts: Uint32Array;
  #length = 0;
  #total = 0;

  /** `units`: the length of the text; most pieces are longer than three. */
  constructor(units: number) {
    const capacity = Math.ceil(units / 3) + 4;
    this.#ends = new Uint32Array(capacity);
    this.#counts = new Uint32Array(capacity);
  }

  /** A piece that ends at `end` and has `tokens` tokens. */
  add(end: number, tokens: number): void {
    if (this.#length === this.#ends.length) this.#grow();
    this.#total += tokens;
    this.#ends[this.#length] = end;
    this.#counts[this.#length] = this.#total;
    this.#length += 1;
  }

  finish(): TokenPieces {
    return {
      ends: this.#ends.slice(0, this.#length),
      counts: this.#counts.slice(0, this.#length),
    };
  }

  #grow(): void {
    const ends = new Uint32Array(this.#ends.length * 2);
    const counts = new Uint32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    counts.set(this.#counts);
    this.#ends = ends;
    this.#counts = counts;
  }
}
