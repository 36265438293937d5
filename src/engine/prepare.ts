import type {
  Block,
  ChunkDraft,
  DocumentRef,
  DocumentRow,
  JsonObject,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { abortable, join } from "../flow/index.ts";
import type { PreparedDocument } from "./apply.ts";
import { hashContent, hashEvents, isSmall, openContent } from "./content.ts";
import { chunkId } from "./identity.ts";
import { splitMetadata } from "./metadata.ts";
import { blocksOf, guarded, type ParsedProperties, parserFor, timed } from "./parsing.ts";
import type { PipelineSource } from "./pipeline.ts";
import type { Run } from "./run-parts.ts";
import { type ReadyChunk, Spool } from "./spool.ts";
import { embedWindow, type ReadBack } from "./vectors.ts";

/** Chunks of one document that are embedded as one. */
const windowChunks = 64;
/** Windows of one document that wait for vectors at once. */
const windowsInFlight = 8;

export interface PrepareOptions {
  readonly source: PipelineSource;
  readonly document: DocumentRef;
  readonly row: DocumentRow | undefined;
  /** Where vectors of unchanged chunks may be read back from. */
  readonly readBack: ReadBack;
  /** Whether a content with this hash needs no work: then nothing is parsed. */
  readonly isCurrent: (content: string) => boolean;
}

export type Preparation =
  | { readonly kind: "current"; readonly content: string }
  | { readonly kind: "prepared"; readonly document: PreparedDocument };

/** Reads, parses, chunks and embeds a document as a whole; nothing is written to any sink. */
export async function prepare(run: Run, options: PrepareOptions): Promise<Preparation> {
  const { document, row } = options;
  const { signal, pipeline, clock } = run.context;
  const blocks = document.content.kind === "blocks";
  const parser = blocks ? undefined : parserFor(options.source, document.mediaType);
  if (!blocks && parser === undefined) throw unsupported(document);
  const { limits } = pipeline.policy;
  const maxBytes = parser?.parser.streams === true ? Infinity : limits.maxDocumentBytes;
  if (!blocks && !isSmall(document) && row !== undefined && row.content !== "") {
    const content = await hashContent(document, maxBytes, signal);
    if (options.isCurrent(content)) return { kind: "current", content };
  }
  const found: ParsedProperties = { properties: {}, warnings: [] };
  if (parser === undefined) {
    let content = "";
    const opened = document.content.kind === "blocks" ? document.content.open(signal) : empty();
    const events = hashEvents(abortable(opened, signal), (hash) => (content = hash));
    return chunkAndEmbed(run, options, blocksOf(events, found), found, () =>
      Promise.resolve(content),
    );
  }
  const opened = await openContent(
    document,
    { maxBytes, monotonic: () => clock.monotonic() },
    signal,
  );
  if (opened.known) {
    const content = await opened.hash();
    if (options.isCurrent(content)) return { kind: "current", content };
  }
  const parsed = timed(parser.parser.parse(document, opened.stream, signal), {
    clock,
    limitMs: limits.parseTimeoutMs,
    waitedMs: opened.waitedMs,
    document,
    signal,
  });
  const events = guarded(abortable(parsed, signal), "parse.malformed", document, signal);
  return chunkAndEmbed(run, options, blocksOf(events, found), found, opened.hash);
}

async function chunkAndEmbed(
  run: Run,
  options: PrepareOptions,
  blocks: AsyncIterable<Block>,
  found: ParsedProperties,
  hash: () => Promise<string>,
): Promise<Preparation> {
  const { document, source } = options;
  const { context } = run;
  const spool = new Spool();
  const ids: string[] = [];
  let tail = Promise.resolve();
  try {
    const drafts = chunksOf(run, options, blocks, found);
    const waiting: Promise<void>[] = [];
    for await (const window of windowsOf(run, options, drafts)) {
      const embedding = embedWindow(run, window, options.readBack);
      const chunks = window.map(({ ready }) => ready);
      for (const chunk of chunks) ids.push(chunk.id);
      const before = tail;
      tail = (async () => {
        // Both are waited for, whichever fails: nothing may go on behind a failed document.
        const [vectors] = await join<Float32Array[] | void>([embedding, before]);
        await spool.append({ chunks, vectors: vectors ?? [] });
      })();
      tail.catch(() => undefined);
      waiting.push(tail);
      if (waiting.length >= windowsInFlight) await waiting.shift();
    }
    await tail;
    for (const warning of found.warnings) {
      const name = `${source.name}:${document.id}`;
      context.emit({ kind: "document-warned", document: name, message: warning.message });
    }
    const { fields, rest } = splitMetadata(mergedMetadata(options, found), context.pipeline.fields);
    context.tally.chunks += ids.length;
    const title = document.title ?? found.properties.title;
    const { uri } = document;
    const content = await hash();
    const prepared = { content, title, uri, fields, metadata: rest, ids, spool };
    return { kind: "prepared", document: prepared };
  } catch (error) {
    await tail.catch(() => undefined);
    await spool.close();
    throw error;
  }
}

/** Source metadata of the file, then the document's own, then front matter. */
function mergedMetadata(options: PrepareOptions, found: ParsedProperties): JsonObject {
  const { source, document } = options;
  return { ...source.metadata, ...document.metadata, ...found.properties.metadata };
}

async function* chunksOf(
  run: Run,
  options: PrepareOptions,
  blocks: AsyncIterable<Block>,
  found: ParsedProperties,
): AsyncGenerator<ChunkDraft, void, undefined> {
  const { source, document } = options;
  const { signal, pipeline } = run.context;
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

/** A chunk with its id and the text that is embedded. */
export interface PendingChunk {
  readonly ready: ReadyChunk;
  readonly embedded: string;
  readonly tokens: number;
}

async function* windowsOf(
  run: Run,
  options: PrepareOptions,
  drafts: AsyncIterable<ChunkDraft>,
): AsyncGenerator<PendingChunk[], void, undefined> {
  const occurrences = new Map<string, number>();
  const { pipeline } = run.context;
  const maxTokens = Math.max(1, Math.floor(pipeline.policy.limits.tokensInFlight / 4));
  let window: PendingChunk[] = [];
  let tokens = 0;
  let position = 0;
  for await (const draft of drafts) {
    const embedded = draft.context + draft.text;
    const base = chunkId(pipeline.name, options.source.name, options.document.id, embedded, 0);
    const occurrence = occurrences.get(base) ?? 0;
    occurrences.set(base, occurrence + 1);
    const { name } = options.source;
    const id =
      occurrence === 0
        ? base
        : chunkId(pipeline.name, name, options.document.id, embedded, occurrence);
    const { text, headings, page } = draft;
    const ready: ReadyChunk = { id, text, headings, page, position };
    position += 1;
    window.push({ ready, embedded, tokens: draft.tokens });
    tokens += draft.tokens;
    if (window.length < windowChunks && tokens < maxTokens) continue;
    yield window;
    window = [];
    tokens = 0;
  }
  if (window.length > 0) yield window;
}

function unsupported(document: DocumentRef): Fault {
  return new Fault(
    "parse.unsupported",
    `No parser reads \`${document.mediaType}\`, the type of \`${document.id}\`. ` +
      "Exclude the document, or name a parser for it.",
  );
}

// oxlint-disable-next-line require-yield, require-await -- An empty stream.
async function* empty(): AsyncGenerator<never> {}
