import type { Block } from "./document.ts";
import type { JsonObject } from "./json.ts";

/** A chunk as a chunker makes it, before the embedded text and the id are known. */
export interface ChunkDraft {
  /** What a reader should see; not empty. */
  readonly text: string;
  /** The heading path of the chunk's first block, outermost first. */
  readonly headings: readonly string[];
  /** The page of the chunk's first block. */
  readonly page?: number;
  /** Tokens of the embedded text (`context` and `text` together) by the tokenizer given; exact. */
  readonly tokens: number;
  /**
   * UTF-16 units at the start of `text` that repeat the end of the previous chunk, or a table header that is repeated.
   * Without them, the texts of all chunks, joined with the white space between blocks and at cuts, are the text of the
   * document.
   */
  readonly repeated: number;
  /** Prefixed to `text` for embedding only (title and heading path); empty when there is none. Ends with a line end. */
  readonly context: string;
}

/** What a chunker may know of the document. */
export interface ChunkContext {
  readonly tokenizer: Tokenizer;
  /** The document's title, if its source or parser names one. */
  readonly title?: string;
}

/** Counts tokens as the model does. Stateless; may be called concurrently. */
export interface Tokenizer {
  /** Names vocabulary and version; part of the recipe. */
  readonly id: string;
  /** False when this tokenizer only stands in for the model's own, which is unknown. */
  readonly exact: boolean;
  /** The number of tokens of each text, without special tokens that the model adds. */
  countBatch(texts: readonly string[]): Promise<number[]>;
  /**
   * Borders between tokens: for each text the ascending UTF-16 offsets at which a token ends and the text may be cut
   * without changing the tokens before it, the last being the text's length; `counts[i]` is the number of tokens up to
   * `ends[i]`. Between two borders there may be more than one token (a word), never a part of one.
   */
  pieces(texts: readonly string[]): Promise<readonly TokenPieces[]>;
}

export interface TokenPieces {
  /** Ascending UTF-16 offsets; the last is the length of the text. Empty for an empty text. */
  readonly ends: Uint32Array;
  /** Cumulative token counts; `counts[i]` tokens lie before `ends[i]`. */
  readonly counts: Uint32Array;
}

/** Cuts a document into chunks. */
export interface Chunker {
  /** No chunk's embedded text has more tokens than this, without those that the model adds; undefined if unbounded. */
  readonly maxTokens?: number;
  /**
   * Streams chunks in reading order; holds no more than a window of the document. Deterministic: equal blocks, context
   * and configuration give equal chunks. Loses and doubles nothing outside `repeated`. Stops on abort.
   */
  chunk(
    blocks: AsyncIterable<Block>,
    context: ChunkContext,
    signal: AbortSignal,
  ): AsyncIterable<ChunkDraft>;
  close(): Promise<void>;
}

/** A value that a store should know by type. */
export type FieldType = "string" | "integer" | "float" | "boolean" | "timestamp" | "string_list";

/**
 * A record as the engine hands it to a sink: the same in every store. The sink maps it to its schema (`fields`, `omit`).
 */
export interface VectorRecord {
  /** A UUID (version 8) in lower case. */
  readonly id: string;
  readonly pipeline: string;
  /** The document id, prefixed with the source's name. */
  readonly document: string;
  readonly source: string;
  /** Names document version and recipe; all records of one settled document and target share it. */
  readonly fingerprint: string;
  /** The content hash of the document version. */
  readonly revision: string;
  /** Exactly the target's dimension long, finite, L2 norm 1 within 1e-3. */
  readonly vector: Float32Array;
  readonly text: string;
  readonly title?: string;
  readonly uri?: string;
  readonly headings: readonly string[];
  readonly page?: number;
  /** Chunk number in the document, from 0; only with `positions: true`. */
  readonly position?: number;
  /** Declared metadata fields, of the declared types (timestamps in milliseconds since the epoch). */
  readonly fields: JsonObject;
  /** All other metadata, stored as one JSON field. */
  readonly metadata: JsonObject;
}
