/** Slots; half of them are used at most. A power of two. */
const slotCount = 1 << 17;
/** UTF-16 units that all entries have together. */
export const poolUnits = 1 << 20;

/** Longer pre-tokens are rare and are not kept. */
export const cachedUnits = 40;

/**
 * Remembers the token counts of pre-tokens. Reads them where they stand in a text, without making a string of each: a
 * `Map` takes three times as long. Bounded at 4 MB; starts anew when it is full, which takes a document's words a few
 * milliseconds to fill again.
 */
export class PreTokenCache {
  readonly #hashes = new Int32Array(slotCount);
  readonly #offsets = new Int32Array(slotCount);
  readonly #lengths = new Uint8Array(slotCount);
  /** 0: the slot is free. */
  readonly #counts = new Uint8Array(slotCount);
  readonly #pool = new Uint16Array(poolUnits);
  #used = 0;
  #poolEnd = 0;
  /** Where the last `get` stopped. */
  #slot = 0;
  #hash = 0;

  /** The count of the pre-token at `start` … `end`, at most `cachedUnits` long; 0 when it is not known. */
  get(text: string, start: number, end: number): number {
    let hash = end - start;
    for (let position = start; position < end; position += 1) {
      hash = Math.imul(hash, 31) + text.charCodeAt(position);
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0x85_eb_ca_6b);
    hash ^= hash >>> 13;
    let slot = hash & (slotCount - 1);
    while (this.#counts[slot] !== 0) {
      if (this.#hashes[slot] === hash && this.#equals(slot, text, start, end)) break;
      slot = (slot + 1) & (slotCount - 1);
    }
    this.#slot = slot;
    this.#hash = hash;
    return this.#counts[slot] ?? 0;
  }

  #equals(slot: number, text: string, start: number, end: number): boolean {
    if (this.#lengths[slot] !== end - start) return false;
    const offset = this.#offsets[slot] ?? 0;
    for (let position = start; position < end; position += 1) {
      if (this.#pool[offset + position - start] !== text.charCodeAt(position)) return false;
    }
    return true;
  }

  /** Where in the pool the pre-token stands that was just found or added: unique among those that are known. */
  get offset(): number {
    return this.#offsets[this.#slot] ?? 0;
  }

  /** Remembers the count of the pre-token that `get` was just asked for and did not know. */
  add(text: string, start: number, end: number, count: number): void {
    if (this.#used >= slotCount / 2 || this.#poolEnd + cachedUnits > poolUnits) this.#clear();
    this.#hashes[this.#slot] = this.#hash;
    this.#offsets[this.#slot] = this.#poolEnd;
    this.#lengths[this.#slot] = end - start;
    this.#counts[this.#slot] = count;
    for (let position = start; position < end; position += 1) {
      this.#pool[this.#poolEnd++] = text.charCodeAt(position);
    }
    this.#used += 1;
  }

  #clear(): void {
    this.#counts.fill(0);
    this.#used = 0;
    this.#poolEnd = 0;
    this.#slot = this.#hash & (slotCount - 1);
  }
}
