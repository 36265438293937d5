import type { Block, ChunkDraft } from "../contracts/index.ts";
import { checkEqual, checkThat } from "./check.ts";

/** Where a chunk's own text stands in the document. */
export interface AlignedChunk {
  readonly chunk: ChunkDraft;
  /** The blocks in which the chunk may be said to begin: with what it repeats, or with its own text. */
  readonly firstBlocks: readonly Block[];
}

interface Flat {
  /** The text of all blocks with single spaces for white space. */
  readonly text: string;
  /** Where each block begins in `text`. */
  readonly starts: readonly number[];
}

/**
 * Lays the chunks beside the document and fails where text is lost, doubled, changed or moved. White space is compared
 * as such, not by its kind, because chunks join blocks with white space of their own.
 */
export function alignChunks(
  blocks: readonly Block[],
  chunks: readonly ChunkDraft[],
  name: string,
): AlignedChunk[] {
  const flat = flatten(blocks);
  const aligned: AlignedChunk[] = [];
  let position = 0;
  for (const [index, chunk] of chunks.entries()) {
    const what = `chunk ${index} of "${name}"`;
    const body = squeeze(chunk.text.slice(chunk.repeated)).trim();
    checkThat(body !== "", `the text of ${what} that is not repeated`, chunk.text, "some text");
    if (flat.text[position] === " ") position += 1;
    const expected = flat.text.slice(position, position + body.length);
    checkEqual(body, expected, `the text of ${what} that is not repeated`);
    const from = Math.max(0, position - squeeze(chunk.text.slice(0, chunk.repeated)).length - 1);
    const first = indexAt(flat, from);
    aligned.push({ chunk, firstBlocks: blocks.slice(first, indexAt(flat, position) + 1) });
    position += body.length;
  }
  const rest = flat.text.slice(position).trim();
  checkEqual(rest.slice(0, 200), "", `the text of "${name}" that no chunk holds`);
  return aligned;
}

/** Fails unless what a chunk calls repeated is the end of the chunk before, a table's header, or both. */
export function checkRepeated(
  blocks: readonly Block[],
  chunks: readonly ChunkDraft[],
  name: string,
): void {
  const headers = blocks.flatMap((block) => headerOf(block));
  for (const [index, chunk] of chunks.entries()) {
    const what = `what chunk ${index} of "${name}" repeats`;
    const inText = chunk.repeated >= 0 && chunk.repeated < chunk.text.length;
    checkThat(inText, what, chunk.repeated, `less than ${chunk.text.length} units`);
    const repeated = squeeze(chunk.text.slice(0, chunk.repeated)).trim();
    const before = squeeze(chunks[index - 1]?.text ?? "").trim();
    const known =
      repeated === "" ||
      before.endsWith(repeated) ||
      headers.some((header) => explains(repeated, header, before));
    checkThat(known, what, repeated, `the end of ${JSON.stringify(before.slice(-80))} or a header`);
    if (index === 0) checkEqual(chunk.repeated, 0, what);
  }
}

function explains(repeated: string, header: string, before: string): boolean {
  if (repeated.startsWith(header)) return before.endsWith(repeated.slice(header.length).trim());
  if (repeated.endsWith(header)) return before.endsWith(repeated.slice(0, -header.length).trim());
  return false;
}

function headerOf(block: Block): string[] {
  if (block.headerLines === undefined || block.headerLines === 0) return [];
  return [squeeze(block.text.split("\n").slice(0, block.headerLines).join("\n")).trim()];
}

function flatten(blocks: readonly Block[]): Flat {
  let text = "";
  const starts: number[] = [];
  for (const block of blocks) {
    if (text !== "") text += " ";
    starts.push(text.length);
    text += squeeze(block.text).trim();
  }
  return { text, starts };
}

function indexAt(flat: Flat, position: number): number {
  return flat.starts.findLastIndex((start) => start <= position);
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/gu, " ");
}
