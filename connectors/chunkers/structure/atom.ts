import type { Block } from "../../../src/contracts/index.ts";

/** A block's place in the document, shared by its atoms. */
export interface AtomBlock {
  readonly kind: Block["kind"];
  readonly headings: readonly string[];
  readonly page: number | undefined;
  /** Estimated tokens of the whole block; only for code and tables, which are kept whole if they fit. */
  readonly tokens: number;
  /** The header to repeat where a chunk begins among the rows of a table; empty when there is none. */
  readonly header: string;
  readonly headerTokens: number;
}

/** The smallest part that is kept whole: a sentence, a line of code, a row, a heading. */
export interface Atom {
  /** Not empty, without white space at its end; only lines of code and rows may begin with white space. */
  readonly text: string;
  /** The white space between the atom before and this one; dropped where a chunk begins. */
  readonly gap: string;
  /** Estimated tokens, the gap included. Exact counts are taken of whole chunks. */
  readonly tokens: number;
  /** Chooses among cuts: the cut stands after the atom with the least hash. */
  readonly hash: number;
  readonly block: AtomBlock;
  /** First of its block, or after a blank line in code. */
  readonly startsBlock: boolean;
  /** The first atom of a heading, or of text under another heading path than the block before. */
  readonly startsSection: boolean;
  /** The header of a table. */
  readonly isHeader: boolean;
}

/** Whether an atom belongs to what follows and should not end a chunk. */
export function leads(atom: Atom): boolean {
  return atom.block.kind === "heading" || atom.isHeader;
}

/** A hash of a text, well mixed in all bits: FNV-1a with the last step of MurmurHash3. */
export function textHash(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function isProse(kind: Block["kind"]): boolean {
  return kind === "paragraph" || kind === "list" || kind === "quote";
}

export function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && startsWith(one, other);
}

/** Whether a heading path lies at or under another. */
export function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return path.length >= prefix.length && prefix.every((heading, depth) => heading === path[depth]);
}
