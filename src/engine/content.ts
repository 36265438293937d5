import { createHash, type Hash } from "node:crypto";
import type { DocumentRef, ParserEvent } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { abortable } from "../flow/index.ts";

/** Documents up to this many bytes are read as a whole, so that an unchanged content is noticed before parsing. */
const wholeBytes = 8 * 1024 * 1024;

/** The content of one document on its way to the parser, hashed as it passes. */
export interface OpenContent {
  readonly stream: AsyncIterable<Uint8Array>;
  /** The hash of everything; known at once for small documents, otherwise when the parser is done with the stream. */
  hash(): Promise<string>;
  /** Whether `hash` answers without the stream having been read. */
  readonly known: boolean;
  /** Milliseconds spent waiting for the source, not to be charged to the parser. */
  waitedMs(): number;
}

/** Opens and reads the beginning; small contents are read whole. */
export async function openContent(
  document: DocumentRef,
  options: { readonly maxBytes: number; readonly monotonic: () => number },
  signal: AbortSignal,
): Promise<OpenContent> {
  if (document.content.kind !== "bytes") throw new TypeError("Only bytes can be opened.");
  // Before the first byte: parts of a document that fails at the end would be embedded for nothing.
  if (sizeOf(document) > options.maxBytes) throw tooLarge(document, options.maxBytes);
  const iterator = abortable(document.content.open(signal), signal)[Symbol.asyncIterator]();
  const sha = createHash("sha256");
  const head: Uint8Array[] = [];
  let size = 0;
  let waited = 0;
  let waitingSince: number | undefined;
  const waitedMs = (): number =>
    waited + (waitingSince === undefined ? 0 : options.monotonic() - waitingSince);
  const next = async (): Promise<IteratorResult<Uint8Array, void>> => {
    waitingSince = options.monotonic();
    const result = await iterator.next();
    waited += options.monotonic() - waitingSince;
    waitingSince = undefined;
    if (result.done !== true) {
      size += result.value.byteLength;
      if (size > options.maxBytes) {
        await iterator.return(undefined);
        throw tooLarge(document, options.maxBytes);
      }
      sha.update(result.value);
    }
    return result;
  };
  while (size <= wholeBytes) {
    const result = await next();
    if (result.done === true) {
      const hash = digestOf(sha);
      const stream = fromMemory(head);
      return { stream, hash: () => Promise.resolve(hash), known: true, waitedMs };
    }
    head.push(result.value);
  }
  let finished: string | undefined;
  async function* rest(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* head.splice(0);
      for (let result = await next(); result.done !== true; result = await next()) {
        yield result.value;
      }
      finished = digestOf(sha);
    } finally {
      await iterator.return(undefined);
    }
  }
  // A parser may stop early and say that it truncated; the hash is still that of everything.
  const hash = async (): Promise<string> =>
    finished ?? (await hashContent(document, options.maxBytes, signal));
  return { stream: rest(), hash, known: false, waitedMs };
}

/** Reads a whole content only for its hash. */
export async function hashContent(
  document: DocumentRef,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  if (document.content.kind !== "bytes") throw new TypeError("Only bytes can be hashed.");
  if (sizeOf(document) > maxBytes) throw tooLarge(document, maxBytes);
  const sha = createHash("sha256");
  let size = 0;
  for await (const bytes of abortable(document.content.open(signal), signal)) {
    size += bytes.byteLength;
    if (size > maxBytes) throw tooLarge(document, maxBytes);
    sha.update(bytes);
  }
  return digestOf(sha);
}

/** Hashes what passes of a document that is listed as blocks. */
export async function* hashEvents(
  events: AsyncIterable<ParserEvent>,
  done: (hash: string) => void,
): AsyncGenerator<ParserEvent, void, undefined> {
  const sha = createHash("sha256");
  for await (const event of events) {
    sha.update(JSON.stringify(event));
    sha.update("\n");
    yield event;
  }
  done(digestOf(sha));
}

/** Whether a content is read whole before parsing. */
export function isSmall(document: DocumentRef): boolean {
  return sizeOf(document) <= wholeBytes;
}

/** The size as the listing saw it. */
function sizeOf(document: DocumentRef): number {
  return document.content.sizeBytes ?? 0;
}

function digestOf(sha: Hash): string {
  return sha.digest("hex").slice(0, 32);
}

function tooLarge(document: DocumentRef, maxBytes: number): Fault {
  const limit = Math.floor(maxBytes / 1024 / 1024);
  return new Fault(
    "parse.too-large",
    `The document \`${document.id}\` is larger than \`limits.max_document_mb\` (${limit} MB). ` +
      "Exclude it, split it, or raise the limit.",
  );
}

// oxlint-disable-next-line require-await -- The parser's contract asks for an asynchronous stream.
async function* fromMemory(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
