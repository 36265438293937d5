import { type MergeTable, noMerge } from "./merge-table.ts";

/** Positions are below this, ranks above: a key orders pairs by rank, then from left to right. */
const positions = 2 ** 32;

/**
 * The symbols of a long pre-token: the same merges as for a short one, found with a heap, in O(n log n) time and about
 * 30 bytes of memory per byte of text.
 */
export function mergeLong(merges: MergeTable, bytes: Uint8Array): Int32Array {
  const length = bytes.length;
  const symbols = Int32Array.from(bytes);
  /** The position of the next symbol; `length` at the end. -1 in `symbols` marks one that was joined away. */
  const next = Int32Array.from({ length }, (_, position) => position + 1);
  const previous = Int32Array.from({ length }, (_, position) => position - 1);
  const heap = new MinHeap(length * 2);
  const rankAt = (position: number): number => {
    const right = next[position] ?? length;
    return right < length ? merges.rank(symbols[position] ?? -1, symbols[right] ?? -1) : noMerge;
  };
  const push = (position: number): void => {
    const rank = rankAt(position);
    if (rank !== noMerge) heap.push(rank * positions + position);
  };
  for (let position = 0; position < length - 1; position += 1) push(position);
  for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
    const rank = Math.floor(key / positions);
    const position = key % positions;
    // A pair that has changed since it was pushed was pushed again with its new rank, if it has one.
    if (symbols[position] === -1 || rankAt(position) !== rank) continue;
    const right = next[position] ?? length;
    const after = next[right] ?? length;
    symbols[position] = merges.results[rank] ?? 0;
    symbols[right] = -1;
    next[position] = after;
    if (after < length) previous[after] = position;
    push(position);
    const before = previous[position] ?? -1;
    if (before >= 0) push(before);
  }
  return symbols.filter((symbol) => symbol !== -1);
}

/** A binary heap of numbers in one array. */
class MinHeap {
  readonly #keys: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  push(key: number): void {
    const keys = this.#keys;
    let slot = this.#size++;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const parentKey = keys[parent] ?? 0;
      if (parentKey <= key) break;
      keys[slot] = parentKey;
      slot = parent;
    }
    keys[slot] = key;
  }

  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const keys = this.#keys;
    const top = keys[0];
    this.#size -= 1;
    const key = keys[this.#size] ?? 0;
    const size = this.#size;
    let slot = 0;
    for (;;) {
      let child = slot * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && (keys[child + 1] ?? 0) < (keys[child] ?? 0)) child += 1;
      if ((keys[child] ?? 0) >= key) break;
      keys[slot] = keys[child] ?? 0;
      slot = child;
    }
    keys[slot] = key;
    return top;
  }
}
