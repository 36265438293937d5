import { mergeLong } from "./merge-long.ts";
import { MergeTable, noMerge } from "./merge-table.ts";
import type { BytePairModel } from "./byte-pair-model.ts";

/** Words up to this many bytes are merged by scanning for the least rank; longer ones with a heap. */
const shortBytes = 128;

/** Merges the bytes of pre-tokens into tokens. */
export class PreTokenMerger {
  readonly #merges: MergeTable;
  readonly #short = new Int32Array(shortBytes);
  readonly #ranks = new Int32Array(shortBytes);
  readonly #bytes = new Uint8Array(shortBytes * 3);
  #symbols: Int32Array = this.#short;

  constructor(model: BytePairModel) {
    this.#merges = new MergeTable(model);
  }

  /** The symbols that the last `merge` made, at the front. */
  get symbols(): Int32Array {
    return this.#symbols;
  }

  /** How many tokens the pre-token at `start` … `end` of a text has. */
  merge(text: string, start: number, end: number): number {
    if (end - start > shortBytes) return this.#mergeLong(utf8(text, start, end));
    const length = writeUtf8(text, start, end, this.#bytes);
    if (length > shortBytes) return this.#mergeLong(this.#bytes.slice(0, length));
    this.#symbols = this.#short;
    return this.#mergeShort(length);
  }

  #mergeLong(bytes: Uint8Array): number {
    this.#symbols = mergeLong(this.#merges, bytes);
    return this.#symbols.length;
  }

  /** Joins the pair of least rank, the leftmost among equals, until no pair can be joined. */
  #mergeShort(length: number): number {
    const symbols = this.#short;
    const ranks = this.#ranks;
    const merges = this.#merges;
    let count = length;
    for (let index = 0; index < count; index += 1) symbols[index] = this.#bytes[index] ?? 0;
    const rankAt = (index: number) =>
      index + 1 < count ? merges.rank(symbols[index] ?? 0, symbols[index + 1] ?? 0) : noMerge;
    for (let index = 0; index < count; index += 1) ranks[index] = rankAt(index);
    for (;;) {
      let least = noMerge;
      let at = 0;
      for (let index = 0; index < count - 1; index += 1) {
        const rank = ranks[index] ?? noMerge;
        if (rank < least) {
          least = rank;
          at = index;
        }
      }
      if (least === noMerge) return count;
      symbols[at] = merges.results[least] ?? 0;
      symbols.copyWithin(at + 1, at + 2, count);
      ranks.copyWithin(at + 1, at + 2, count);
      count -= 1;
      ranks[at] = rankAt(at);
      if (at > 0) ranks[at - 1] = rankAt(at - 1);
    }
  }
}

function utf8(text: string, start: number, end: number): Uint8Array {
  return new TextEncoder().encode(text.slice(start, end));
}

/** Writes UTF-8 and returns its length; a lone surrogate becomes U+FFFD. `target` has three bytes per unit. */
function writeUtf8(text: string, start: number, end: number, target: Uint8Array): number {
  let length = 0;
  for (let position = start; position < end; position += 1) {
    const unit = text.charCodeAt(position);
    if (unit < 0x80) target[length++] = unit;
    else if (unit < 0x08_00) {
      target[length++] = 0xc0 | (unit >> 6);
      target[length++] = 0x80 | (unit & 0x3f);
    } else {
      let code = unit;
      if (unit >= 0xd8_00 && unit < 0xe0_00) {
        const low = unit < 0xdc_00 && position + 1 < end ? text.charCodeAt(position + 1) : 0;
        if (low >= 0xdc_00 && low < 0xe0_00) {
          code = 0x01_00_00 + ((unit - 0xd8_00) << 10) + (low - 0xdc_00);
          position += 1;
          target[length++] = 0xf0 | (code >> 18);
          target[length++] = 0x80 | ((code >> 12) & 0x3f);
          target[length++] = 0x80 | ((code >> 6) & 0x3f);
          target[length++] = 0x80 | (code & 0x3f);
          continue;
        }
        code = 0xff_fd;
      }
      target[length++] = 0xe0 | (code >> 12);
      target[length++] = 0x80 | ((code >> 6) & 0x3f);
      target[length++] = 0x80 | (code & 0x3f);
    }
  }
  return length;
}
