import type {
  Chunker,
  Embedder,
  EmbeddingCache,
  FieldType,
  JsonObject,
  Parser,
  Sink,
  Source,
  StateStore,
} from "../contracts/index.ts";

/** A pipeline ready to run: every component made, nothing opened. */
export interface Pipeline {
  readonly name: string;
  /** The pipeline's former name, whose state is taken over. */
  readonly previously?: string;
  /** The file it came from, absolute; a state remembers it to notice two files of one name. */
  readonly file?: string;
  readonly sources: ReadonlyMap<string, PipelineSource>;
  readonly embedder: Embedder;
  readonly sinks: ReadonlyMap<string, PipelineSink>;
  readonly state: StateStore;
  readonly cache: EmbeddingCache | undefined;
  /** Declared metadata fields. */
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly policy: Policy;
}

export interface PipelineSource {
  readonly name: string;
  readonly previously?: string;
  readonly source: Source;
  /** Metadata added to every record of this source. */
  readonly metadata: JsonObject;
  readonly parsers: readonly PipelineParser[];
  readonly chunker: Chunker;
  /** Hash of the chunker's type, revision and whatever of its configuration shapes chunks. */
  readonly chunkerRecipe: string;
}

export interface PipelineParser {
  readonly type: string;
  readonly parser: Parser;
  /** Hash of the parser's type, revision and whatever of its configuration shapes blocks. */
  readonly recipe: string;
}

export interface PipelineSink {
  readonly name: string;
  readonly previously?: string;
  readonly sink: Sink;
  /** `auto`: what the live collection has, or the model's native dimension. */
  readonly dimension: "auto" | number;
}

/** Limits and guards, with their defaults applied. */
export interface Policy {
  readonly deletions: { readonly maxFraction: number };
  readonly reprocess: { readonly maxFraction: number };
  readonly failures: { readonly maxDocuments: number };
  readonly limits: {
    /** Tokens of chunks on their way from chunker to sink. */
    readonly tokensInFlight: number;
    /** Bytes of documents, chunks and vectors held in memory at once. */
    readonly memoryBytes: number;
    /** Larger documents fail, unless their parser streams. */
    readonly maxDocumentBytes: number;
    readonly parseTimeoutMs: number;
    /** Documents worked on at once. */
    readonly documents: number;
  };
  readonly retry: {
    readonly attempts: number;
    readonly baseMs: number;
    readonly maxMs: number;
    /** Give up on a call after this long, attempts and waits together. */
    readonly totalMs: number;
  };
  /** Store the chunk's number in the document with every record. */
  readonly positions: boolean;
}

export const defaultPolicy: Policy = {
  deletions: { maxFraction: 0.1 },
  reprocess: { maxFraction: 0.2 },
  failures: { maxDocuments: 100 },
  limits: {
    tokensInFlight: 400_000,
    memoryBytes: 1024 * 1024 * 1024,
    maxDocumentBytes: 100 * 1024 * 1024,
    parseTimeoutMs: 10_000,
    documents: 128,
  },
  retry: { attempts: 6, baseMs: 250, maxMs: 30_000, totalMs: 300_000 },
  positions: false,
};
