import type {
  Block,
  ChunkDraft,
  Chunker,
  Parser,
  ParserEvent,
} from "../../../../src/contracts/index.ts";
import { chunkerLaws, parserLaws } from "../../../../src/testkit/index.ts";
import { fakeChunkerHarness, fakeParserHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateParser = (parser: Parser) => Parser;

/** A parser whose events, all together, are changed. */
function withEvents(change: (events: ParserEvent[]) => ParserEvent[]): MutateParser {
  return (parser) => ({
    ...parser,
    async *parse(document, content, signal) {
      const events: ParserEvent[] = [];
      for await (const event of parser.parse(document, content, signal)) events.push(event);
      yield* change(events);
    },
  });
}

function withBlocks(change: (block: Block, index: number) => Block): MutateParser {
  return withEvents((events) =>
    events.map((event, index) =>
      event.kind === "block" ? { ...event, block: change(event.block, index) } : event,
    ),
  );
}

const nothingLost = "loses, doubles and reorders nothing of its samples";
const stop = "ends promptly when its signal aborts, and closes the content";

export const parserMutants = mutantsOf(
  "a parser that",
  (mutate: MutateParser) => parserLaws(fakeParserHarness(mutate)),
  [
    ["loses the last block", nothingLost, withEvents((events) => events.slice(0, -1))],
    ["gives a block twice", nothingLost, withEvents((events) => [...events, ...events.slice(-1)])],
    [
      "gives the headings first",
      nothingLost,
      withEvents((events) =>
        events.toSorted((left, right) => Number(isHeading(right)) - Number(isHeading(left))),
      ),
    ],
    [
      "forgets headings after the first",
      "gives every block the heading path in which it stands",
      withBlocks((block) => ({ ...block, headings: block.headings.slice(0, 1) })),
    ],
    [
      "leaves a heading out of its own path",
      "gives every block the heading path in which it stands",
      withBlocks((block) =>
        block.kind === "heading" ? { ...block, headings: block.headings.slice(0, -1) } : block,
      ),
    ],
    [
      "cuts a character in two",
      "yields well-formed blocks",
      withBlocks((block) => ({ ...block, text: block.text.replace("🙂", "\ud83d") })),
    ],
    [
      "keeps carriage returns",
      "yields well-formed blocks",
      withBlocks((block) => ({ ...block, text: block.text.replaceAll("\n", "\r\n") })),
    ],
    [
      "says the title at the end",
      "says the properties at most once and before the first block",
      withEvents((events) => [...events.slice(1), ...events.slice(0, 1)]),
    ],
    [
      "decodes each piece of bytes for itself",
      "says the same however its content is cut into pieces",
      (parser) => ({
        ...parser,
        parse: (document, content, signal) => parser.parse(document, decodeAlone(content), signal),
      }),
    ],
    [
      "replaces invalid bytes in silence",
      "rejects what is not of its type as that document's fault",
      (parser) => ({
        ...parser,
        parse: (document, content, signal) => parser.parse(document, decodeAlone(content), signal),
      }),
    ],
    [
      "ends as if whole when its content breaks off",
      "passes on the fault of a content that breaks off",
      (parser) => ({
        ...parser,
        parse: (document, content, signal) => parser.parse(document, swallow(content), signal),
      }),
    ],
    [
      "mixes documents parsed at the same time",
      "keeps documents apart that are parsed at the same time",
      (parser) => {
        const shared: ParserEvent[] = [];
        return {
          ...parser,
          async *parse(document, content, signal) {
            const from = shared.length;
            for await (const event of parser.parse(document, content, signal)) shared.push(event);
            yield* shared.slice(from);
          },
        };
      },
    ],
    [
      "does not hear an abort",
      stop,
      (parser) => ({
        ...parser,
        parse: (document, content) =>
          parser.parse(document, limited(content), new AbortController().signal),
      }),
    ],
    [
      "gives an empty block for an empty document",
      "yields no block of a document without text",
      withEvents((events) =>
        events.length > 0
          ? events
          : [{ kind: "block", block: { kind: "paragraph", text: "", headings: [] } }],
      ),
    ],
  ],
);

function isHeading(event: ParserEvent): boolean {
  return event.kind === "block" && event.block.kind === "heading";
}

async function* decodeAlone(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of content) {
    yield new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll("\0", ""));
  }
}

async function* swallow(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch {
    // The defect: whatever went wrong, the document seems to end here.
  }
}

async function* limited(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const bytes of content) {
    count += 1;
    if (count > 50) return;
    yield bytes;
  }
}

type MutateChunker = (chunker: Chunker) => Chunker;

/** A chunker whose chunks, all together, are changed. */
function withChunks(change: (chunks: ChunkDraft[]) => ChunkDraft[]): MutateChunker {
  return (chunker) => ({
    ...chunker,
    async *chunk(blocks, context, signal) {
      const chunks: ChunkDraft[] = [];
      for await (const chunk of chunker.chunk(blocks, context, signal)) chunks.push(chunk);
      yield* change(chunks);
    },
  });
}

function withChunk(change: (chunk: ChunkDraft, index: number) => ChunkDraft): MutateChunker {
  return withChunks((chunks) => chunks.map(change));
}

const long = "loses and doubles nothing of one long paragraph";

export const chunkerMutants = mutantsOf(
  "a chunker that",
  (mutate: MutateChunker) => chunkerLaws(fakeChunkerHarness(mutate)),
  [
    ["drops the last chunk", long, withChunks((chunks) => chunks.slice(0, -1))],
    [
      "drops the only chunk",
      "loses and doubles nothing of one short paragraph",
      withChunks((chunks) => chunks.slice(1)),
    ],
    ["counts overlap as its own text", long, withChunk((chunk) => ({ ...chunk, repeated: 0 }))],
    [
      "calls more repeated than is",
      long,
      withChunk((chunk) => ({ ...chunk, repeated: chunk.repeated > 0 ? chunk.repeated + 2 : 0 })),
    ],
    [
      "loses the header of a table",
      "loses and doubles nothing of a long table",
      withChunk((chunk) => ({
        ...chunk,
        text: chunk.text.replace("| --- | --- |", "|  |"),
      })),
    ],
    [
      "estimates tokens by length",
      "counts the tokens of headings and sections exactly",
      withChunk((chunk) => ({ ...chunk, tokens: Math.ceil(chunk.text.length / 4) })),
    ],
    [
      "counts tokens without the context",
      "counts the tokens of many short paragraphs exactly",
      withChunk((chunk) => ({
        ...chunk,
        tokens: chunk.tokens - (chunk.context === "" ? 0 : 2),
      })),
    ],
    [
      "packs two chunks into one",
      "keeps its bound in one long paragraph",
      withChunks((chunks) =>
        chunks.flatMap((chunk, index) => {
          if (index % 2 === 1) return [];
          const next = chunks[index + 1];
          const text = chunk.text + (next?.text.slice(next.repeated) ?? "");
          return [{ ...chunk, text, tokens: chunk.tokens + (next?.tokens ?? 0) }];
        }),
      ),
    ],
    [
      "names the headings of the last block",
      "makes well-formed chunks with the headings and page of their first block",
      withChunks((chunks) =>
        chunks.map((chunk, index) => ({
          ...chunk,
          headings: chunks[index + 1]?.headings ?? chunk.headings,
        })),
      ),
    ],
    [
      "cuts pairs of surrogates",
      "makes well-formed chunks with the headings and page of their first block",
      withChunks((chunks) =>
        chunks.flatMap((chunk) => {
          const half = chunk.text.indexOf("🙂", chunk.repeated + 4) + 1;
          if (half === 0) return [chunk];
          const [left, right] = [chunk.text.slice(0, half), chunk.text.slice(half)];
          return [
            { ...chunk, text: left },
            { ...chunk, text: right, repeated: 0 },
          ];
        }),
      ),
    ],
    [
      "cuts differently every time",
      "makes the same chunks again, and from another chunker",
      (() => {
        let turn = 0;
        return withChunks((chunks) => {
          turn += 1;
          return chunks.map((chunk) => ({ ...chunk, context: `${turn}\n` }));
        });
      })(),
    ],
    [
      "reads the whole document first",
      "gives its first chunk before it has read the document",
      (chunker) => ({
        ...chunker,
        async *chunk(blocks, context, signal) {
          const all: Block[] = [];
          for await (const block of blocks) if (all.push(block) >= 5_000) break;
          async function* given(): AsyncGenerator<Block> {
            yield* all;
          }
          yield* chunker.chunk(given(), context, signal);
        },
      }),
    ],
    [
      "never closes the blocks",
      "closes the blocks when its reader stops early",
      (chunker) => ({
        ...chunker,
        chunk: (blocks, context, signal) =>
          chunker.chunk({ [Symbol.asyncIterator]: () => withoutReturn(blocks) }, context, signal),
      }),
    ],
    [
      "ends as if whole when the blocks break off",
      "passes on the error of the blocks",
      (chunker) => ({
        ...chunker,
        async *chunk(blocks, context, signal) {
          try {
            yield* chunker.chunk(blocks, context, signal);
          } catch {
            signal.throwIfAborted();
          }
        },
      }),
    ],
  ],
);

function withoutReturn(blocks: AsyncIterable<Block>): AsyncIterator<Block> {
  const iterator = blocks[Symbol.asyncIterator]();
  return { next: () => iterator.next() };
}
