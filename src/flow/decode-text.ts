import { isAscii } from "node:buffer";
import type { DocumentWarning } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { abortable } from "./abort.ts";
import {
  completeLength,
  decodeUtf32,
  detectEncoding,
  encodingOfMark,
  sampleBytes,
  type DetectedEncoding,
} from "./detect-encoding.ts";

/** A piece of a decoded text, in order, or something to tell about it. */
export type DecodedPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "warning"; readonly warning: DocumentWarning };

/**
 * Decodes the bytes of a document whose encoding nobody tells, streaming: holds 64 KB and a chunk, never the document.
 *
 * The encoding is chosen from a byte order mark or from 64 KB that begin with the first byte that is not ASCII. The
 * text is well-formed UTF-16, has `\n` as line end and no control characters but tab and line end (others become a
 * space). Invalid bytes become U+FFFD and are counted in a `replaced-characters` warning at the end; a doubtful choice
 * gives `suspect-encoding`. Rejects with `parse.malformed` for content that is not text. Stops on abort.
 */
export async function* decodeText(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<DecodedPiece, void, undefined> {
  const chunks = new Peekable(abortable(content, signal));
  const cleaner = new Cleaner();
  try {
    const head = await chunks.peek(sampleBytes);
    const isPlain = asciiLength(head) === head.length;
    if (isPlain)
      for await (const text of leadingAscii(chunks)) yield* textPiece(cleaner.clean(text));
    const sample = isPlain ? await chunks.peek(sampleBytes) : head;
    const isWhole = chunks.isEnded && sample.length <= sampleBytes;
    const encoding =
      encodingOfMark(head) ??
      (await detectEncoding(sample.subarray(0, sampleBytes), isWhole)) ??
      // 64 KB of text came before: a log with a damaged end is still worth reading.
      (isPlain ? { label: "utf-8", skip: 0, doubt: "it has binary parts" } : undefined);
    if (encoding === undefined) throw notText();
    yield* warnings(doubtOf(encoding));
    const decoder = new CountingDecoder(encoding);
    for await (const chunk of chunks.rest()) yield* textPiece(cleaner.clean(decoder.decode(chunk)));
    yield* textPiece(cleaner.clean(decoder.end()));
    yield* textPiece(cleaner.end());
    yield* warnings(replacedWarning(decoder.replaced, encoding.label));
    yield* warnings(cleaner.suspicion(decoder.replaced));
  } finally {
    await chunks.close();
  }
}

function* textPiece(text: string): Generator<DecodedPiece> {
  if (text !== "") yield { kind: "text", text };
}

function* warnings(warning: DocumentWarning | undefined): Generator<DecodedPiece> {
  if (warning !== undefined) yield { kind: "warning", warning };
}

/** Streams what is ASCII in every encoding, and leaves the first byte that is not at the front. */
async function* leadingAscii(chunks: Peekable): AsyncGenerator<string, void, undefined> {
  for (;;) {
    const chunk = await chunks.peek(1);
    if (chunk.length === 0) return;
    const length = asciiLength(chunk);
    if (length > 0) yield Buffer.from(chunk.buffer, chunk.byteOffset, length).toString("latin1");
    chunks.skip(length);
    if (length < chunk.length) return;
  }
}

/** Bytes that are ASCII and mean nothing else: no NUL (UTF-16), no escape sequence (ISO-2022-JP). */
function asciiLength(chunk: Uint8Array): number {
  const hasEscape = chunk.includes(0x1b) || chunk.includes(0);
  if (isAscii(chunk) && !hasEscape) return chunk.length;
  const first = chunk.findIndex((byte) => byte >= 0x80 || byte === 0 || byte === 0x1b);
  return first === -1 ? chunk.length : first;
}

function notText(): Fault {
  return new Fault(
    "parse.malformed",
    "The content is not text: it has NUL bytes and many control characters. Exclude the document.",
  );
}

function doubtOf(encoding: DetectedEncoding): DocumentWarning | undefined {
  if (encoding.doubt === undefined) return undefined;
  return {
    code: "suspect-encoding",
    message: `The encoding is uncertain (${encoding.doubt}); the text was read as ${encoding.label}.`,
  };
}

function replacedWarning(replaced: number, label: string): DocumentWarning | undefined {
  if (replaced === 0) return undefined;
  return {
    code: "replaced-characters",
    message: `${replaced} invalid sequences were replaced by U+FFFD; the text was read as ${label}.`,
  };
}

/** Decodes chunks and counts what had to be replaced. */
class CountingDecoder {
  replaced = 0;
  readonly #label: string;
  readonly #decoder: InstanceType<typeof TextDecoder> | undefined;
  #skip: number;
  /** Bytes of a character that is cut by the end of a chunk. */
  #carry: Uint8Array = new Uint8Array(0);

  constructor(encoding: DetectedEncoding) {
    this.#label = encoding.label;
    this.#skip = encoding.skip;
    const isOurs = encoding.label === "utf-8" || encoding.label.startsWith("utf-32");
    if (!isOurs) this.#decoder = new TextDecoder(encoding.label, { ignoreBOM: true });
  }

  decode(chunk: Uint8Array): string {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    const bytes = chunk.subarray(skipped);
    if (this.#decoder !== undefined) return this.#count(this.#decoder.decode(bytes, streaming));
    const joined = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    const length =
      this.#label === "utf-8" ? completeLength(joined) : joined.length - (joined.length % 4);
    this.#carry = joined.slice(length);
    return this.#decodeOurs(joined.subarray(0, length));
  }

  end(): string {
    if (this.#decoder !== undefined) return this.#count(this.#decoder.decode());
    if (this.#carry.length === 0) return "";
    this.replaced += 1;
    return "\uFFFD";
  }

  #decodeOurs(bytes: Uint8Array): string {
    if (this.#label !== "utf-8") return this.#count(decodeUtf32(bytes, this.#label === "utf-32le"));
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const text = buffer.toString("utf8");
    // A replacement character that the document itself contains is not damage.
    this.#count(text);
    if (text.includes("\uFFFD")) this.replaced -= occurrences(buffer, "\uFFFD");
    return text;
  }

  #count(text: string): string {
    if (text.includes("\uFFFD")) this.replaced += text.split("\uFFFD").length - 1;
    return text;
  }
}

const streaming = { stream: true } as const;

function occurrences(buffer: Buffer, searched: string): number {
  let count = 0;
  for (let at = buffer.indexOf(searched); at !== -1; at = buffer.indexOf(searched, at + 1)) {
    count += 1;
  }
  return count;
}

const nextLine = "\u0085";
/** Form feed, vertical tab and NEL end a line; the other control characters mean nothing in a text. */
const lineEnd = new RegExp(`\\r\\n?|[\\f\\v${nextLine}]`, "g");
const control = /(?![\t\n])\p{Cc}/gu;
const special = new RegExp(`(?![\\t\\n])\\p{Cc}`, "u");

/** Makes line ends and control characters uniform, over the borders of pieces. */
class Cleaner {
  #characters = 0;
  #controls = 0;
  #heldReturn = false;

  clean(piece: string): string {
    let text = this.#heldReturn ? `\r${piece}` : piece;
    if (piece === "") return "";
    this.#characters += piece.length;
    this.#heldReturn = text.endsWith("\r");
    if (this.#heldReturn) text = text.slice(0, -1);
    if (!special.test(text)) return text;
    return text.replace(lineEnd, "\n").replace(control, () => {
      this.#controls += 1;
      return " ";
    });
  }

  end(): string {
    return this.#heldReturn ? "\n" : "";
  }

  suspicion(replaced: number): DocumentWarning | undefined {
    if (this.#controls + replaced <= this.#characters * 0.2) return undefined;
    return {
      code: "suspect-encoding",
      message:
        "More than a fifth of the text is control or replaced characters; it may not be text.",
    };
  }
}

/** A stream of chunks whose front can be looked at before it is taken. */
class Peekable {
  isEnded = false;
  readonly #iterator: AsyncGenerator<Uint8Array, void, undefined>;
  #front: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncGenerator<Uint8Array, void, undefined>) {
    this.#iterator = chunks;
  }

  /** The front: at least so many bytes, fewer only when the stream ends before. */
  async peek(bytes: number): Promise<Uint8Array> {
    const parts = [this.#front];
    let length = this.#front.length;
    while (length < bytes && !this.isEnded) {
      const result = await this.#iterator.next();
      if (result.done === true) {
        this.isEnded = true;
      } else {
        parts.push(result.value);
        length += result.value.length;
      }
    }
    if (parts.length > 1)
      this.#front =
        parts.length === 2 && parts[0]?.length === 0
          ? (parts[1] ?? this.#front)
          : Buffer.concat(parts);
    return this.#front;
  }

  skip(bytes: number): void {
    this.#front = this.#front.subarray(bytes);
  }

  /** What is left, the front first. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = await this.peek(1);
      if (chunk.length === 0) return;
      this.skip(chunk.length);
      yield chunk;
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return();
  }
}
