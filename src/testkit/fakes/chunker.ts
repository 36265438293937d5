import type { Block, ChunkContext, ChunkDraft, Chunker } from "../../contracts/index.ts";

export interface FakeChunkerOptions {
  /** The bound of a chunk in tokens, context included; 40 when left out. */
  readonly maxTokens?: number;
}

interface Draft {
  readonly headings: readonly string[];
  readonly page: number | undefined;
  text: string;
  repeated: number;
  lastPiece: string;
}

/** A chunker that packs tokens up to the bound and repeats the last token of each chunk in the next. */
export function createFakeChunker(options: FakeChunkerOptions = {}): Chunker {
  const maxTokens = options.maxTokens ?? 40;
  return {
    async *chunk(blocks, context, signal) {
      let draft: Draft | undefined;
      for await (const block of blocks) {
        signal.throwIfAborted();
        let separator = "\n\n";
        for (const piece of await piecesOf(block, context)) {
          const candidate = draft === undefined ? piece : draft.text + separator + piece;
          if (draft === undefined) draft = begin(block, "", piece);
          else if ((await tokensOf(candidate, context)) <= maxTokens) {
            draft.text = candidate;
            draft.lastPiece = piece;
          } else {
            yield await finish(draft, context);
            draft = begin(block, separator === "" ? draft.lastPiece : "", piece);
          }
          separator = "";
        }
      }
      if (draft !== undefined) yield await finish(draft, context);
    },
    close: async () => {},
  };
}

function begin(block: Block, overlap: string, piece: string): Draft {
  const { headings, page } = block;
  return {
    headings,
    page,
    text: overlap + piece,
    repeated: overlap.length,
    lastPiece: piece,
  };
}

async function finish(draft: Draft, context: ChunkContext): Promise<ChunkDraft> {
  const { text, repeated, headings, page } = draft;
  return {
    text,
    headings,
    ...(page === undefined ? {} : { page }),
    tokens: await tokensOf(text, context),
    repeated,
    context: contextOf(context),
  };
}

async function piecesOf(block: Block, { tokenizer }: ChunkContext): Promise<string[]> {
  const [pieces] = await tokenizer.pieces([block.text]);
  const ends = [...(pieces?.ends ?? [])];
  return ends.map((end, index) => block.text.slice(ends[index - 1] ?? 0, end));
}

async function tokensOf(text: string, context: ChunkContext): Promise<number> {
  const [tokens = 0] = await context.tokenizer.countBatch([contextOf(context) + text]);
  return tokens;
}

function contextOf({ title }: ChunkContext): string {
  return title === undefined ? "" : `${title}\n`;
}
