import { AssertionError } from "node:assert";
import type {
  Block,
  Clock,
  DocumentProperties,
  DocumentRef,
  DocumentWarning,
  ParserEvent,
} from "../contracts/index.ts";
import { Fault, isFault, type FaultCodeName } from "../faults/index.ts";
import { notNeeded, raceAbort } from "../flow/index.ts";
import type { PipelineParser, PipelineSource } from "./pipeline.ts";

/** The parser that reads a media type; an exact match wins over `text/*`. */
export function parserFor(source: PipelineSource, mediaType: string): PipelineParser | undefined {
  const family = `${mediaType.split("/")[0]}/*`;
  const reads = (type: string): PipelineParser | undefined =>
    source.parsers.find(({ parser }) => parser.mediaTypes.includes(type));
  return reads(mediaType) ?? reads(family);
}

/** What a document turned out to say about itself while it was parsed. */
export interface ParsedProperties {
  properties: DocumentProperties;
  warnings: DocumentWarning[];
}

/** Splits parser events into blocks, which go on, and properties and warnings, which are collected. */
export async function* blocksOf(
  events: AsyncIterable<ParserEvent>,
  found: ParsedProperties,
): AsyncGenerator<Block, void, undefined> {
  for await (const event of events) {
    if (event.kind === "block") yield event.block;
    else if (event.kind === "properties") found.properties = event.properties;
    else if (found.warnings.length < 20) found.warnings.push(event.warning);
  }
}

/**
 * Charges a stage for the time it spends inside `next()`, less the time it waits for its own input, and stops it when
 * the limit is passed. Code that never yields has to be bounded by the stage itself.
 */
export async function* timed<T>(
  iterable: AsyncIterable<T>,
  options: {
    readonly clock: Clock;
    readonly limitMs: number;
    readonly waitedMs: () => number;
    readonly document: DocumentRef;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<T, void, undefined> {
  const { clock, limitMs } = options;
  const iterator = iterable[Symbol.asyncIterator]();
  const over = new AbortController();
  const done = new AbortController();
  let spent = 0;
  let since: number | undefined;
  const elapsed = (): number => {
    const running = since === undefined ? 0 : clock.monotonic() - since;
    return spent + running - options.waitedMs();
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(Math.max(1, limitMs - elapsed()), done.signal);
      if (since !== undefined && elapsed() >= limitMs) return over.abort(notNeeded);
    }
  };
  const stop = (): void => done.abort(notNeeded);
  options.signal.addEventListener("abort", stop, { once: true });
  watch().catch(() => undefined);
  let ended = false;
  try {
    for (;;) {
      since = clock.monotonic();
      const pending = iterator.next();
      // Not `Promise.race` with a promise that never settles: it would keep every block until the document is done.
      const result = await raceAbort(pending, over.signal).catch((error: unknown) => {
        if (!over.signal.aborted) throw error;
        ended = true;
        Promise.resolve(iterator.return?.()).catch(() => undefined);
        throw tooSlow(options.document, limitMs);
      });
      spent += clock.monotonic() - since;
      since = undefined;
      if (result.done === true) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } finally {
    done.abort(notNeeded);
    options.signal.removeEventListener("abort", stop);
    if (!ended) await iterator.return?.();
  }
}

function tooSlow(document: DocumentRef, limitMs: number): Fault {
  return new Fault(
    "parse.timeout",
    `Parsing \`${document.id}\` took longer than ${limitMs} ms (\`limits.parse_timeout_ms\`). ` +
      "Exclude the document or raise the limit.",
  );
}

/** Turns what a stage throws, unless it is a fault already or a failed assertion, into a fault of the document. */
export async function* guarded<T>(
  iterable: AsyncIterable<T>,
  code: FaultCodeName,
  document: DocumentRef,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* iterable;
  } catch (error) {
    if (isFault(error) || error instanceof AssertionError || signal.aborted) throw error;
    const kind = error instanceof Error ? error.name : typeof error;
    const what = code === "chunk.failed" ? "chunker" : "parser";
    const message = `The ${what} failed on \`${document.id}\` with an unexpected ${kind}.`;
    throw new Fault(code, message, { cause: error });
  }
}
