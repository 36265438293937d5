import type { TokenPieces } from "../../../src/contracts/index.ts";

/**
 * Reads tokens off offsets: exact at borders between tokens, in proportion between them. Offsets must not decrease from
 * call to call.
 */
export class TokenScale {
  readonly #pieces: TokenPieces;
  #piece = 0;

  constructor(pieces: TokenPieces) {
    this.#pieces = pieces;
  }

  /** Tokens before this offset. */
  at(offset: number): number {
    const { ends, counts } = this.#pieces;
    while (this.#piece < ends.length && (ends[this.#piece] ?? 0) < offset) this.#piece += 1;
    const end = ends[this.#piece];
    if (end === undefined) return counts.at(-1) ?? 0;
    const start = ends[this.#piece - 1] ?? 0;
    const before = counts[this.#piece - 1] ?? 0;
    const within = (counts[this.#piece] ?? 0) - before;
    return before + Math.ceil((within * (offset - start)) / (end - start));
  }
}
