import type { Block, TokenPieces, Tokenizer } from "../../../src/contracts/index.ts";
import { assert } from "../../../src/faults/index.ts";
import { type Atom, type AtomBlock, samePath, textHash } from "./atom.ts";
import { spansOf } from "./spans-of.ts";
import type { Span } from "./span.ts";
import { TokenScale } from "./token-scale.ts";

/** Blocks go to the tokenizer in batches of about this many UTF-16 units, and long ones in parts of it. */
const batchUnits = 16 * 1024;

/** A run of spans of one block whose text is tokenized at once. */
interface Part {
  readonly block: Block;
  readonly spans: readonly Span[];
  readonly text: string;
  readonly isFirst: boolean;
  /** Offset in the block's text at which the part before ended. */
  readonly before: number;
}

/** Turns blocks into atoms, tokenizing each text once. */
export async function* readAtoms(
  blocks: AsyncIterable<Block>,
  tokenizer: Tokenizer,
  maxTokens: number,
): AsyncGenerator<Atom[], void, undefined> {
  const maxUnits = Math.max(batchUnits, maxTokens * 16);
  const maker = new AtomMaker();
  let batch: Part[] = [];
  let units = 0;
  for await (const block of blocks) {
    for (const part of partsOf(block, maxUnits)) {
      batch.push(part);
      units += part.text.length;
      if (units < batchUnits) continue;
      yield maker.atoms(batch, await tokenizer.pieces(batch.map(({ text }) => text)));
      batch = [];
      units = 0;
    }
  }
  if (batch.length > 0) {
    yield maker.atoms(batch, await tokenizer.pieces(batch.map(({ text }) => text)));
  }
}

function* partsOf(block: Block, maxUnits: number): Generator<Part, void, undefined> {
  let spans: Span[] = [];
  let before = 0;
  let isFirst = true;
  const part = (): Part => {
    const [first] = spans;
    const last = spans.at(-1);
    const text = block.text.slice(first?.start ?? 0, last?.end ?? 0);
    return { block, spans, text, isFirst, before };
  };
  for (const span of spansOf(block, maxUnits)) {
    const first = spans[0] ?? span;
    if (spans.length > 0 && span.end - first.start > batchUnits) {
      yield part();
      before = spans.at(-1)?.end ?? 0;
      isFirst = false;
      spans = [];
    }
    spans.push(span);
  }
  if (spans.length > 0) yield part();
}

/** Makes atoms of parts; remembers the block that the last part belongs to. */
class AtomMaker {
  #headings: readonly string[] | undefined;
  #block: AtomBlock | undefined;

  atoms(parts: readonly Part[], pieces: readonly TokenPieces[]): Atom[] {
    const atoms: Atom[] = [];
    for (const [index, part] of parts.entries()) {
      const own = pieces[index];
      assert(own !== undefined, "a tokenizer gives pieces for every text");
      if (this.#block === undefined || part.isFirst) this.#block = blockOf(part, own);
      const { kind, headings } = part.block;
      const startsSection =
        part.isFirst &&
        (kind === "heading" || this.#headings === undefined || !samePath(this.#headings, headings));
      this.#headings = headings;
      addAtoms(part, own, this.#block, startsSection, atoms);
    }
    return atoms;
  }
}

function blockOf(part: Part, pieces: TokenPieces): AtomBlock {
  const { kind, headings, page, text, headerLines = 0 } = part.block;
  const [first] = part.spans;
  const hasHeader = kind === "table" && headerLines > 0 && first !== undefined;
  const header = hasHeader ? text.slice(first.start, first.end) : "";
  return {
    kind,
    headings,
    page,
    tokens: pieces.counts.at(-1) ?? 0,
    header,
    headerTokens: header === "" ? 0 : new TokenScale(pieces).at(header.length) + 1,
  };
}

function addAtoms(
  part: Part,
  pieces: TokenPieces,
  block: AtomBlock,
  startsSection: boolean,
  atoms: Atom[],
): void {
  const offset = part.spans[0]?.start ?? 0;
  const scale = new TokenScale(pieces);
  const { text } = part.block;
  let tokensBefore = 0;
  let end = part.before;
  for (const [index, span] of part.spans.entries()) {
    const isFirst = index === 0 && part.isFirst;
    const tokens = scale.at(span.end - offset);
    const gap = isFirst ? "\n\n" : text.slice(end, span.start);
    const atomText = text.slice(span.start, span.end);
    atoms.push({
      text: atomText,
      gap,
      tokens: Math.max(1, tokens - tokensBefore) + (index === 0 ? 1 : 0),
      hash: textHash(atomText),
      block,
      startsBlock: isFirst || (block.kind === "code" && gap.includes("\n\n")),
      startsSection: isFirst && startsSection,
      isHeader: isFirst && block.header !== "",
    });
    tokensBefore = tokens;
    end = span.end;
  }
}
