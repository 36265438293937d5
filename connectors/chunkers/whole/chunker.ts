import type { Block, ChunkContext, ChunkDraft, Chunker } from "../../../src/contracts/index.ts";
import { assert, Fault } from "../../../src/faults/index.ts";
import { abortable } from "../../../src/flow/index.ts";

export interface WholeOptions {
  readonly maxTokens: number;
  readonly context: "none" | "title";
}

/** No token of a usual text is longer; beyond this a document is too large without counting. */
const unitsPerToken = 128;

/** Makes one chunk of the whole document, or fails. Holds at most `maxTokens` × 128 UTF-16 units. */
export function createWholeChunker(options: WholeOptions): Chunker {
  return Object.freeze({
    maxTokens: options.maxTokens,
    chunk: (blocks: AsyncIterable<Block>, context: ChunkContext, signal: AbortSignal) =>
      wholeChunk(options, blocks, context, signal),
    close: async () => {},
  });
}

async function* wholeChunk(
  options: WholeOptions,
  blocks: AsyncIterable<Block>,
  { tokenizer, title }: ChunkContext,
  signal: AbortSignal,
): AsyncGenerator<ChunkDraft, void, undefined> {
  const texts: string[] = [];
  let units = 0;
  let first: Block | undefined;
  for await (const block of abortable(blocks, signal)) {
    const text = block.text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
    if (text.trim() === "") continue;
    first ??= block;
    texts.push(text);
    units += text.length;
    if (units > options.maxTokens * unitsPerToken) throw tooLong(options.maxTokens, "more");
  }
  if (first === undefined) return;
  signal.throwIfAborted();
  const text = texts.join("\n\n");
  const context = contextOf(options, title, text);
  const [tokens] = await tokenizer.countBatch([context + text]);
  assert(tokens !== undefined, "a tokenizer counts every text");
  if (tokens > options.maxTokens) throw tooLong(options.maxTokens, String(tokens));
  yield {
    text,
    headings: first.headings,
    ...(first.page !== undefined && { page: first.page }),
    tokens,
    repeated: 0,
    context,
  };
}

/** The title takes at most this much; it is there to help, not to fill. */
const titleMaxUnits = 200;

function contextOf(options: WholeOptions, title: string | undefined, text: string): string {
  if (options.context === "none") return "";
  const line = (title ?? "").replaceAll(/\s+/g, " ").trim().slice(0, titleMaxUnits).toWellFormed();
  return line === "" || text.trimStart().startsWith(line) ? "" : `${line}\n`;
}

function tooLong(maxTokens: number, tokens: string): Fault {
  return new Fault(
    "chunk.failed",
    `The document has ${tokens} tokens where \`max_tokens\` of the chunker \`whole\` allows ${maxTokens}. ` +
      "Raise it up to the model's context, use the chunker `structure`, or exclude the document.",
  );
}
