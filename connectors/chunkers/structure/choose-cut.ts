import { type Atom, leads, startsWith } from "./atom.ts";

export interface CutLimits {
  readonly maxTokens: number;
  /** Tokens that the chunk has besides the atoms: context, overlap, repeated header. */
  readonly spentTokens: number;
  readonly minFill: number;
  /** The atoms are all that is left of the document. */
  readonly isEnd: boolean;
}

/** A section is joined to the next of its family only while the chunk is smaller than this share of the bound. */
const smallSection = 0.5;
/** Code and tables are kept whole if the chunk before them is at least this full. */
const fillBeforeWhole = 0.25;

/**
 * How many of the atoms go into the next chunk; at least one. The choice depends on nothing before the first atom, so
 * that cuts fall into the same places again a few chunks after an edit.
 *
 * Whole sections first: a chunk ends with its section unless that is small and the next one, which must fit whole,
 * stands under the same parent. A section larger than the bound is cut, among the borders between `minFill` and the
 * bound, where the hash of the atom before is least.
 */
export function chooseCut(atoms: readonly Atom[], limits: CutLimits): number {
  const budget = limits.maxTokens - limits.spentTokens;
  let tokens = 0;
  for (const [index, atom] of atoms.entries()) {
    if (index > 0 && atom.startsSection && !joins(atoms, index, tokens, limits)) return index;
    if (index > 0 && tokens + atom.tokens > budget) return cutBefore(atoms, index, limits);
    tokens += atom.tokens;
  }
  return Math.max(1, atoms.length);
}

/** Whether the section that begins at `index` goes into the same chunk. */
function joins(atoms: readonly Atom[], index: number, tokens: number, limits: CutLimits): boolean {
  const [first] = atoms;
  const next = atoms[index];
  const last = atoms[index - 1];
  if (first === undefined || next === undefined || last === undefined) return false;
  const parent = first.block.headings.slice(0, -1);
  const isFamily = first.startsSection && startsWith(next.block.headings, parent);
  if (!isFamily) return false;
  // A heading without text of its own goes with what stands under it.
  if (last.block.kind === "heading" && startsWith(next.block.headings, last.block.headings)) {
    return true;
  }
  if (tokens + limits.spentTokens >= smallSection * limits.maxTokens) return false;
  const budget = limits.maxTokens - limits.spentTokens - tokens;
  return sectionFits(atoms, index, budget, limits.isEnd);
}

function sectionFits(
  atoms: readonly Atom[],
  start: number,
  budget: number,
  isEnd: boolean,
): boolean {
  let tokens = 0;
  for (let index = start; index < atoms.length; index += 1) {
    const atom = atoms[index];
    const last = atoms[index - 1];
    if (atom === undefined || last === undefined) break;
    if (index > start && atom.startsSection && last.block.kind !== "heading") return true;
    tokens += atom.tokens;
    if (tokens > budget) return false;
  }
  return isEnd;
}

/** Chooses among the borders up to `overflow`, the first atom that does not fit. */
function cutBefore(atoms: readonly Atom[], overflow: number, limits: CutLimits): number {
  const minimum = limits.minFill * limits.maxTokens - limits.spentTokens;
  const whole = wholeBlockStart(atoms, overflow, limits);
  if (whole !== undefined) return whole;
  let best = 0;
  let bestRank = Number.POSITIVE_INFINITY;
  let last = 0;
  let tokens = 0;
  for (let index = 1; index <= overflow; index += 1) {
    const before = atoms[index - 1];
    if (before === undefined) break;
    tokens += before.tokens;
    if (leads(before)) continue;
    last = index;
    if (tokens < minimum) continue;
    const rank = rankOf(before, atoms[index]);
    if (rank > bestRank) continue;
    best = index;
    bestRank = rank;
  }
  return best || last || overflow;
}

/**
 * Borders within code and tables come after all others; those between blocks are four times, those between pages
 * sixteen times likelier than those between sentences.
 */
function rankOf(before: Atom, after: Atom | undefined): number {
  if (after === undefined) return before.hash;
  if (before.block.page !== after.block.page) return before.hash / 16;
  if (after.startsBlock) return before.hash / 4;
  const isKept = after.block.kind === "code" || after.block.kind === "table";
  return isKept ? before.hash + 2 ** 32 : before.hash;
}

/** The start of the code or table that `overflow` would cut, if it can stand whole in the next chunk. */
function wholeBlockStart(
  atoms: readonly Atom[],
  overflow: number,
  limits: CutLimits,
): number | undefined {
  const block = atoms[overflow]?.block;
  if (block === undefined || (block.kind !== "code" && block.kind !== "table")) return undefined;
  let start = overflow;
  while (start > 0 && atoms[start - 1]?.block === block) start -= 1;
  const before = atoms[start - 1];
  if (before === undefined || leads(before)) return undefined;
  const tokens = atoms.slice(0, start).reduce((sum, atom) => sum + atom.tokens, 0);
  const isFull = tokens + limits.spentTokens >= fillBeforeWhole * limits.maxTokens;
  return isFull && block.tokens + limits.spentTokens <= limits.maxTokens ? start : undefined;
}
