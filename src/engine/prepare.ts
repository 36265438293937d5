import type { ChunkDraft, DocumentRef, DocumentRow } from "../contracts/index.ts";
import { join } from "../flow/index.ts";
import type { PreparedDocument } from "./apply.ts";
import { readDrafts } from "./drafts.ts";
import { chunkId } from "./identity.ts";
import { splitMetadata } from "./metadata.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
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
  const { source, document, row, isCurrent } = options;
  const { context } = run;
  const { pipeline, clock, signal } = context;
  const known = row !== undefined && row.content !== "";
  const reading = await readDrafts({ pipeline, source, document, known, isCurrent, clock }, signal);
  if (reading.kind === "current") return reading;
  const spool = new Spool();
  try {
    const ids = await embedAll(run, options, reading.drafts, spool);
    const content = await reading.content();
    const { properties, warnings } = reading.found;
    for (const { message } of warnings) {
      context.emit({ kind: "document-warned", document: `${source.name}:${document.id}`, message });
    }
    const merged = { ...source.metadata, ...document.metadata, ...properties.metadata };
    const { fields, rest } = splitMetadata(merged, pipeline.fields);
    context.tally.chunks += ids.length;
    const title = document.title ?? properties.title;
    const { uri } = document;
    const prepared = { content, title, uri, fields, metadata: rest, ids, spool };
    return { kind: "prepared", document: prepared };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** Embeds window after window, a few at once, and spools them in order; gives the ids of all chunks. */
async function embedAll(
  run: Run,
  options: PrepareOptions,
  drafts: AsyncIterable<ChunkDraft>,
  spool: Spool,
): Promise<string[]> {
  const ids: string[] = [];
  const waiting: Promise<void>[] = [];
  let tail = Promise.resolve();
  try {
    for await (const window of windowsOf(run.context.pipeline, options, drafts)) {
      const embedding = embedWindow(run, window, options.readBack);
      const chunks = withParts(run, window);
      // Both are awaited in `append`; the first to fail must not go unheard while the other goes on.
      chunks.catch(() => undefined);
      for (const { ready } of window) ids.push(ready.id);
      tail = append(spool, chunks, embedding, tail);
      tail.catch(() => undefined);
      waiting.push(tail);
      if (waiting.length >= windowsInFlight) await waiting.shift();
    }
  } finally {
    // Whatever fails, nothing goes on behind a failed document.
    await tail.catch(() => undefined);
  }
  await tail;
  return ids;
}

async function append(
  spool: Spool,
  chunks: Promise<readonly ReadyChunk[]>,
  embedding: Promise<Float32Array[]>,
  before: Promise<void>,
): Promise<void> {
  const [vectors] = await join<Float32Array[] | void>([embedding, before]);
  await spool.append({ chunks: await chunks, vectors: vectors ?? [] });
}

/**
 * The chunks of a window; those that the embedder cuts know in how many parts. It is asked and not told with the vector:
 * a vector may come from the cache or from a sink, and the record must be the same.
 */
async function withParts(
  { embedding, space }: Run,
  window: readonly PendingChunk[],
): Promise<readonly ReadyChunk[]> {
  const { contextTokens, prompts } = space.model;
  // A prompt has at most as many tokens as bytes. Asking about what fits by far would tokenize everything twice.
  const prompt = Buffer.byteLength(prompts.document);
  const long = window.filter(({ tokens }) => (tokens + prompt) * 2 > contextTokens);
  const parts = await embedding.parts(long.map(({ embedded }) => embedded));
  if (parts === undefined) return window.map(({ ready }) => ready);
  const partsOf = new Map(long.map((chunk, index) => [chunk, parts[index] ?? 1]));
  return window.map((chunk) => {
    const count = partsOf.get(chunk) ?? 1;
    return count > 1 ? { ...chunk.ready, parts: count } : chunk.ready;
  });
}

/** A chunk with its id and the text that is embedded. */
export interface PendingChunk {
  readonly ready: ReadyChunk;
  readonly embedded: string;
  readonly tokens: number;
}

/** Gives chunks their ids and groups them. */
export async function* windowsOf(
  pipeline: Pipeline,
  options: { readonly source: PipelineSource; readonly document: DocumentRef },
  drafts: AsyncIterable<ChunkDraft>,
): AsyncGenerator<PendingChunk[], void, undefined> {
  const occurrences = new Map<string, number>();
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
