import type { Tokenizer } from "./chunk.ts";
import type { Component, ComponentNote } from "./stages.ts";

/** The dimensions that a model can give. */
export interface ModelDimensions {
  /** The length of the vectors that `embed` returns. */
  readonly native: number;
  /** The shortest prefix that is still a valid vector; equal to `native` when the model is not Matryoshka. */
  readonly min: number;
  /** Prefixes of a vector, normalised again, are valid vectors (Matryoshka representation learning). */
  readonly matryoshka: boolean;
}

/** What identifies an embedding space, together with the probe. */
export interface EmbeddingModel {
  readonly id: string;
  readonly revision?: string;
  readonly dimensions: ModelDimensions;
  /** The longest text in tokens, special tokens included. */
  readonly contextTokens: number;
  /** How many of them the model puts around every text itself; 0 when left out. */
  readonly specialTokens?: number;
  /** How texts are dressed before embedding (instruction templates); part of the space's identity. */
  readonly prompts: { readonly document: string; readonly query: string };
  /** What embedding a million tokens costs, in the user's currency; only for plans. */
  readonly pricePerMillionTokens?: number;
}

export interface EmbedderLimits {
  readonly textsPerCall: number;
  /** Tokens of all texts of one call together. */
  readonly tokensPerCall: number;
  readonly concurrentCalls: number;
  /** Milliseconds that a call which is not full waits for more texts; 20 when left out. */
  readonly maxWaitMs?: number;
}

export interface Embeddings {
  /** One vector per text, in the order of the texts, each exactly `native` long. Not necessarily normalised. */
  readonly vectors: readonly Float32Array[];
  /** Tokens that the server says it read. */
  readonly tokens?: number;
}

/** What one place that computes vectors (a device, a server) has done since it took up work. Counters only grow. */
export interface PlaceMeasures {
  /** `cuda:0`, or a server's address without secrets. */
  readonly place: string;
  /** Batches, or requests, that brought vectors. */
  readonly batches: number;
  readonly texts: number;
  readonly tokens: number;
  /** Tokens of padding that were computed besides; 0 where nothing is padded or nobody tells. */
  readonly padding: number;
  /** What failed, by fault code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Batches under way, and how many there may be at present. */
  readonly inFlight: number;
  readonly window: number;
  /** The most tokens, padding included, and the most texts that a batch may have: they tell how full batches are. */
  readonly batchTokens: number;
  readonly batchTexts: number;
  /** Milliseconds of a batch at these quantiles; 0 before the first. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Nothing is sent there until it answers again. */
  readonly ejected: boolean;
  /** What a server says of itself, as it was heard last; absent where it does not tell. */
  readonly load?: PlaceLoad;
}

/** What a server says of its own load, work of others included; each only where it tells. */
export interface PlaceLoad {
  /** Requests that it computes, and that wait there. */
  readonly running?: number;
  readonly waiting?: number;
  /** The share of its memory for keys and values that is in use, 0 to 1. */
  readonly memory?: number;
}

/** Turns texts into vectors. */
export interface Embedder extends Component {
  /**
   * Learns what only a call can tell (the native dimension of an unknown model). Called once before anything else;
   * afterwards `model` does not change.
   */
  open(signal: AbortSignal): Promise<EmbeddingModel>;
  readonly tokenizer: Tokenizer;
  readonly limits: EmbedderLimits;
  /**
   * Embeds at most `limits.textsPerCall` texts. Either all vectors or a fault: `document` + `smaller` when a text of
   * several is at fault, `document` + `never` when a single one is, `component` otherwise. Checks count, length and
   * finiteness; never pads, cuts or guesses. No retries inside. Stops on abort.
   */
  embed(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings>;
  /**
   * In how many parts each document text is embedded: 1, or more for one that is longer than the model's context. Only
   * embedders that cut such texts have it; all others refuse them. The same for the same text, whatever was cached: parts
   * that a server then refuses are cut further, and not counted.
   */
  parts?(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
  /** What each place that computes has done; for people, never read by the engine. */
  measures?(): readonly PlaceMeasures[];
}

/** Keeps embeddings at native dimension, shared between pipelines. A cache may forget, never lie. */
export interface EmbeddingCache {
  /**
   * Looks up keys made by `cacheKey` (space, prompt and text hash; 32 bytes as hex). Returns only vectors of exactly
   * `dimension` finite numbers that are not all zero; an entry that is not so is dropped. A shared cache that is away
   * finds nothing.
   */
  get(keys: readonly string[], dimension: number): Promise<Map<string, Float32Array>>;
  /** Stores vectors. Durable against the death of the process when it resolves; a shared cache may be away. */
  put(entries: ReadonlyMap<string, Float32Array>): Promise<void>;
  /** The probe that belongs to the vectors of a space, by its hash; undefined when none was kept. */
  probe(space: string): Promise<string | undefined>;
  /**
   * Keeps a probe unless one is kept already, and gives the one that is kept, in one step for all users of the cache.
   * It stays until `clear`, whatever vectors are forgotten; or goes with all of them. Durable when it resolves. A
   * shared cache that is away gives the one that it was given, and no vectors before that one is kept, and no other.
   */
  keepProbe(space: string, probe: string): Promise<string>;
  stats(): Promise<CacheStats>;
  clear(): Promise<void>;
  /** What a person should know and was not told yet, such as that it is away; asked after calls. */
  news?(): readonly ComponentNote[];
  close(): Promise<void>;
}

export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  /** Left out when nothing bounds it. */
  readonly maxBytes?: number;
}
