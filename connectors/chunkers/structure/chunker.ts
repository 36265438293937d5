import type { Block, ChunkContext, ChunkDraft, Chunker } from "../../../src/contracts/index.ts";
import { assert } from "../../../src/faults/index.ts";
import { abortable } from "../../../src/flow/index.ts";
import { type Atom } from "./atom.ts";
import { chooseCut } from "./choose-cut.ts";
import { draftOf, overlapOf, type UncountedDraft } from "./draft.ts";
import { HeadingContexts } from "./heading-context.ts";
import { readAtoms } from "./read-atoms.ts";
import { halve, splitAtom } from "./split-atom.ts";

export interface StructureOptions {
  readonly maxTokens: number;
  readonly overlapTokens: number;
  readonly context: "none" | "headings";
  readonly minFill: number;
}

/** Cuts along headings, blocks and sentences; every chunk within the bound, counted as the model counts. */
export function createStructureChunker(options: StructureOptions): Chunker {
  return Object.freeze({
    maxTokens: options.maxTokens,
    chunk: (blocks: AsyncIterable<Block>, context: ChunkContext, signal: AbortSignal) =>
      new DocumentChunks(options, context, signal).read(blocks),
    close: async () => {},
  });
}

/** A header larger than this share of the bound is not repeated. */
const headerShare = 0.5;
const contextShare = 0.25;
/** Parts of an atom that is too large: an eighth of the bound, so that cuts have a choice. */
const splitShare = 0.125;

/** The chunks of one document. Holds the atoms of about one chunk and one batch of blocks. */
class DocumentChunks {
  readonly #options: StructureOptions;
  readonly #context: ChunkContext;
  readonly #signal: AbortSignal;
  readonly #contexts: HeadingContexts;
  #atoms: Atom[] = [];
  #tokens = 0;
  #isEnd = false;
  #overlap: readonly Atom[] = [];

  constructor(options: StructureOptions, context: ChunkContext, signal: AbortSignal) {
    this.#options = options;
    this.#context = context;
    this.#signal = signal;
    const maxContext = Math.floor(options.maxTokens * contextShare);
    this.#contexts = new HeadingContexts(context.tokenizer, context.title, maxContext);
  }

  async *read(blocks: AsyncIterable<Block>): AsyncGenerator<ChunkDraft, void, undefined> {
    const { maxTokens } = this.#options;
    const source = abortable(blocks, this.#signal);
    for await (const atoms of readAtoms(source, this.#context.tokenizer, maxTokens)) {
      for (const atom of atoms) await this.#add(atom);
      // One chunk and the first atom that does not fit; what a cut depends on lies within.
      while (this.#tokens > maxTokens) yield await this.#next();
    }
    this.#isEnd = true;
    while (this.#atoms.length > 0) yield await this.#next();
  }

  async #add(atom: Atom): Promise<void> {
    const { maxTokens } = this.#options;
    const header = atom.isHeader ? 0 : this.#headerTokens(atom);
    const isSmall = atom.tokens + header <= maxTokens * (1 - contextShare);
    if (isSmall || atom.tokens + header + (await this.#contextTokens(atom)) <= maxTokens) {
      this.#push(atom);
      return;
    }
    const target = Math.max(4, Math.floor(maxTokens * splitShare));
    for (const part of splitAtom(atom, target)) this.#push(part);
  }

  #push(atom: Atom): void {
    this.#atoms.push(atom);
    this.#tokens += atom.tokens;
  }

  async #contextTokens(atom: Atom): Promise<number> {
    return (await this.#contextOf(atom.block.headings)).tokens;
  }

  async #contextOf(
    headings: readonly string[],
    opening?: string,
  ): Promise<{ text: string; tokens: number }> {
    if (this.#options.context === "none") return { text: "", tokens: 0 };
    return this.#contexts.of(headings, opening);
  }

  #headerTokens(atom: Atom): number {
    const { headerTokens } = atom.block;
    return headerTokens <= this.#options.maxTokens * headerShare ? headerTokens : 0;
  }

  /** Makes the next chunk of the atoms and takes them away. */
  async #next(): Promise<ChunkDraft> {
    this.#signal.throwIfAborted();
    const [first] = this.#atoms;
    assert(first !== undefined, "a chunk is made of at least one atom");
    const { kind, headings } = first.block;
    const context =
      kind === "heading"
        ? await this.#contextOf(headings.slice(0, -1), headings.at(-1))
        : await this.#contextOf(headings);
    const repeatsHeader = !first.startsBlock && !first.isHeader && this.#headerTokens(first) > 0;
    const header = repeatsHeader ? first.block.header : "";
    let overlap = this.#overlap;
    let maxTokens = this.#options.maxTokens;
    for (;;) {
      overlap = this.#fitting(overlap, context.tokens, maxTokens);
      const spentTokens =
        context.tokens + tokensOf(overlap) + (repeatsHeader ? first.block.headerTokens : 0);
      const { minFill } = this.#options;
      const limits = { maxTokens, spentTokens, minFill, isEnd: this.#isEnd };
      const count = chooseCut(this.#atoms, limits);
      const atoms = this.#atoms.slice(0, count);
      const draft = draftOf({ context: context.text, overlap, header, atoms });
      const tokens = await this.#count(draft);
      const excess = tokens - this.#options.maxTokens;
      if (excess <= 0 || (count === 1 && overlap.length === 0 && !this.#halveFirst())) {
        this.#take(count);
        return { ...draft, tokens };
      }
      // The estimate was too low. Aim lower by what it missed.
      if (count === 1) overlap = overlap.slice(1);
      else maxTokens -= excess;
    }
  }

  /** The overlap, shortened until the next atom fits beside it. */
  #fitting(overlap: readonly Atom[], spentTokens: number, maxTokens: number): readonly Atom[] {
    const next = this.#atoms[0]?.tokens ?? 0;
    let rest = overlap;
    while (rest.length > 0 && spentTokens + tokensOf(rest) + next > maxTokens) rest = rest.slice(1);
    return rest;
  }

  async #count({ context, text }: UncountedDraft): Promise<number> {
    const [tokens] = await this.#context.tokenizer.countBatch([context + text]);
    assert(tokens !== undefined, "a tokenizer counts every text");
    return tokens;
  }

  /** Splits the first atom, which alone is too large; false when that is not possible. */
  #halveFirst(): boolean {
    const [first, ...others] = this.#atoms;
    const parts = first === undefined ? undefined : halve(first);
    if (parts === undefined) return false;
    this.#atoms = [...parts, ...others];
    this.#tokens = tokensOf(this.#atoms);
    return true;
  }

  #take(count: number): void {
    const taken = this.#atoms.splice(0, count);
    this.#tokens -= tokensOf(taken);
    this.#overlap = overlapOf(taken, this.#atoms[0], this.#options.overlapTokens);
  }
}

function tokensOf(atoms: readonly Atom[]): number {
  let tokens = 0;
  for (const atom of atoms) tokens += atom.tokens;
  return tokens;
}
