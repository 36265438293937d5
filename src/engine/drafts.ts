import type { Block, ChunkDraft, Clock, DocumentRef, ParserEvent } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { abortable } from "../flow/index.ts";
import { hashContent, hashEvents, isSmall, openContent } from "./content.ts";
import { blocksOf, guarded, type ParsedProperties, parserFor, timed } from "./parsing.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";

export interface ReadOptions {
  readonly pipeline: Pipeline;
  readonly source: PipelineSource;
  readonly document: DocumentRef;
  /** The content was read before: a large one is hashed before it is parsed. */
  readonly known: boolean;
  /** Whether a content with this hash needs no work: then nothing is parsed. */
  readonly isCurrent: (content: string) => boolean;
  readonly clock: Clock;
}

export type Reading =
  | { readonly kind: "current"; readonly content: string }
  | {
      readonly kind: "drafts";
      readonly drafts: AsyncIterable<ChunkDraft>;
      /** Filled while the drafts are read. */
      readonly found: ParsedProperties;
      /** The hash of the content, once the drafts have been read. */
      readonly content: () => Promise<string>;
    };

/** Opens a document, parses and chunks it as its chunks are asked for. */
export async function readDrafts(options: ReadOptions, signal: AbortSignal): Promise<Reading> {
  const { document, pipeline, clock } = options;
  if (document.content.kind === "blocks") {
    let content = "";
    const opened = abortable(document.content.open(signal), signal);
    return drafts(
      options,
      hashEvents(opened, (hash) => (content = hash)),
      signal,
      () => Promise.resolve(content),
    );
  }
  const reader = parserFor(options.source, document.mediaType);
  if (reader === undefined) throw unsupported(document);
  const { limits } = pipeline.policy;
  const maxBytes = reader.parser.streams === true ? Infinity : limits.maxDocumentBytes;
  if (!isSmall(document) && options.known) {
    const content = await hashContent(document, maxBytes, signal);
    if (options.isCurrent(content)) return { kind: "current", content };
  }
  const monotonic = (): number => clock.monotonic();
  const opened = await openContent(document, { maxBytes, monotonic }, signal);
  if (opened.known) {
    const content = await opened.hash();
    if (options.isCurrent(content)) return { kind: "current", content };
  }
  // What was waited for before the parser began is not its time.
  const before = opened.waitedMs();
  const parsed = timed(reader.parser.parse(document, opened.stream, signal), {
    clock,
    limitMs: limits.parseTimeoutMs,
    waitedMs: () => opened.waitedMs() - before,
    document,
    signal,
  });
  const events = guarded(abortable(parsed, signal), "parse.malformed", document, signal);
  return drafts(options, events, signal, opened.hash);
}

function drafts(
  options: ReadOptions,
  events: AsyncIterable<ParserEvent>,
  signal: AbortSignal,
  content: () => Promise<string>,
): Reading {
  const found: ParsedProperties = { properties: {}, warnings: [] };
  const blocks = blocksOf(events, found);
  return { kind: "drafts", drafts: chunksOf(options, blocks, found, signal), found, content };
}

async function* chunksOf(
  options: ReadOptions,
  blocks: AsyncIterable<Block>,
  found: ParsedProperties,
  signal: AbortSignal,
): AsyncGenerator<ChunkDraft, void, undefined> {
  const { source, document, pipeline } = options;
  // The title stands before the first block, so the first block is awaited before the chunker is asked.
  const iterator = blocks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const title = document.title ?? found.properties.title;
  const { tokenizer } = pipeline.embedder;
  const chunks = source.chunker.chunk(
    chain(first.value, iterator),
    { tokenizer, ...(title === undefined ? {} : { title }) },
    signal,
  );
  yield* guarded(abortable(chunks, signal), "chunk.failed", document, signal);
}

async function* chain<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

function unsupported(document: DocumentRef): Fault {
  return new Fault(
    "parse.unsupported",
    `No parser reads \`${document.mediaType}\`, the type of \`${document.id}\`. ` +
      "Exclude the document, or name a parser for it.",
  );
}
