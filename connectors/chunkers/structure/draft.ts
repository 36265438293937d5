import type { ChunkDraft } from "../../../src/contracts/index.ts";
import { type Atom, isProse } from "./atom.ts";

/** What a chunk is made of. */
export interface ChunkParts {
  readonly context: string;
  /** Atoms repeated from the chunk before. */
  readonly overlap: readonly Atom[];
  /** A table header repeated; empty when there is none. */
  readonly header: string;
  readonly atoms: readonly Atom[];
}

export type UncountedDraft = Omit<ChunkDraft, "tokens">;

export function draftOf({ context, overlap, header, atoms }: ChunkParts): UncountedDraft {
  const [first] = atoms;
  const repeated =
    overlap.length > 0 ? textOf(overlap) + (first?.gap ?? "") : header === "" ? "" : `${header}\n`;
  const start = overlap[0] ?? first;
  const page = start?.block.page;
  return {
    text: repeated + textOf(atoms),
    headings: start?.block.headings ?? [],
    ...(page !== undefined && { page }),
    repeated: repeated.length,
    context,
  };
}

/** The atoms' text with what stood between them. */
function textOf(atoms: readonly Atom[]): string {
  let text = "";
  for (const [index, atom] of atoms.entries())
    text += index === 0 ? atom.text : atom.gap + atom.text;
  return text;
}

/**
 * The last atoms of a chunk to repeat in the next one: whole sentences of prose of one section, `maxTokens` at most,
 * and never the whole chunk.
 */
export function overlapOf(
  taken: readonly Atom[],
  next: Atom | undefined,
  maxTokens: number,
): readonly Atom[] {
  if (next === undefined || next.startsSection || !isProse(next.block.kind)) return [];
  let start = taken.length;
  let tokens = 0;
  while (start > 1) {
    const atom = taken[start - 1];
    if (atom === undefined || !isProse(atom.block.kind)) break;
    tokens += atom.tokens;
    if (tokens > maxTokens) break;
    start -= 1;
    if (atom.startsSection) break;
  }
  return taken.slice(start);
}
