import type { BytePairModel } from "./byte-pair-model.ts";

/** Rank of a pair that no merge joins. */
export const noMerge = 0x7f_ff_ff_ff;

/** A hash table from a pair of symbols to the rank of its merge: open addressing in flat arrays, built in milliseconds. */
export class MergeTable {
  readonly #mask: number;
  /** Left, right, rank + 1 (0: free) of each slot. */
  readonly #slots: Int32Array;
  readonly results: Uint32Array;

  constructor(model: BytePairModel) {
    let size = 1024;
    while (size < model.lefts.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * 3);
    this.results = model.results;
    for (let rank = 0; rank < model.lefts.length; rank += 1) {
      this.#insert(model.lefts[rank] ?? 0, model.rights[rank] ?? 0, rank);
    }
  }

  #insert(left: number, right: number, rank: number): void {
    const slots = this.#slots;
    let slot = hash(left, right) & this.#mask;
    while (slots[slot * 3 + 2] !== 0) {
      if (slots[slot * 3] === left && slots[slot * 3 + 1] === right) break;
      slot = (slot + 1) & this.#mask;
    }
    slots[slot * 3] = left;
    slots[slot * 3 + 1] = right;
    slots[slot * 3 + 2] = rank + 1;
  }

  rank(left: number, right: number): number {
    const slots = this.#slots;
    let slot = hash(left, right) & this.#mask;
    for (;;) {
      const rank = slots[slot * 3 + 2] ?? 0;
      if (rank === 0) return noMerge;
      if (slots[slot * 3] === left && slots[slot * 3 + 1] === right) return rank - 1;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function hash(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e_37_79_b1) ^ Math.imul(right, 0x85_eb_ca_6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
