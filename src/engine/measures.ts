import type { PlaceMeasures } from "../contracts/index.ts";

/** What a run measures of itself, at one moment. Counters only grow while the run lasts. */
export interface RunMeasures {
  readonly embedding: EmbeddingMeasures;
  /** Undefined where there is no cache, or none was opened yet. */
  readonly cache: CacheMeasures | undefined;
  /** Of the process; undefined when nobody watches it. */
  readonly loop: LoopMeasures | undefined;
  /** Of this machine; empty when there are none, or nobody watches them. */
  readonly gpus: readonly GpuMeasures[];
}

export interface EmbeddingMeasures {
  /** What the model embedded of the run's documents, and the calls that brought it. */
  readonly texts: number;
  readonly tokens: number;
  readonly calls: number;
  /** Milliseconds in which a call was under way. */
  readonly busyMs: number;
  readonly inFlight: { readonly calls: number; readonly texts: number; readonly tokens: number };
  /** Texts that wait for a call, and the most that waited whenever one began. */
  readonly waiting: { readonly texts: number; readonly tokens: number };
  readonly mostWaiting: { readonly texts: number; readonly tokens: number };
  /** Tokens between chunker and vectors, of those that wait and those under way, and how many there may be. */
  readonly tokensHeld: number;
  readonly tokensAllowed: number;
  /** Calls that were made again, and what failed, by fault code. */
  readonly retries: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Milliseconds of a call that brought vectors, at these quantiles; 0 before the first. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** What each device or server did for this run; empty when the embedder does not tell. */
  readonly places: readonly PlaceMeasures[];
}

/** Chunks whose vector the cache had, and chunks whose vector it did not have. */
export interface CacheMeasures {
  readonly hits: number;
  readonly misses: number;
}

/** For how long the main thread was blocked, in milliseconds. */
export interface LoopMeasures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface GpuMeasures {
  /** Its number on this machine. */
  readonly gpu: string;
  readonly name: string;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  /** The share of time in which it computed, 0 to 1, of the last second or so; undefined where it does not tell. */
  readonly utilization: number | undefined;
}

/**
 * How full batches were, 0 to 1: by tokens, padding included, or by texts, whichever fills them more. Undefined before
 * the first.
 */
export function batchFill(places: readonly PlaceMeasures[]): number | undefined {
  const batches = sumOf(places, (place) => place.batches);
  if (batches === 0) return undefined;
  const tokens = sumOf(places, (place) => place.tokens + place.padding);
  const texts = sumOf(places, (place) => place.texts);
  const mostTokens = sumOf(places, (place) => mostOf(place, place.batchTokens));
  const mostTexts = sumOf(places, (place) => mostOf(place, place.batchTexts));
  return Math.min(1, Math.max(tokens / mostTokens, texts / mostTexts));
}

/** The share of the tokens that were computed that was padding, 0 to 1; undefined before the first. */
export function paddingShare(places: readonly PlaceMeasures[]): number | undefined {
  const padding = sumOf(places, (place) => place.padding);
  const computed = padding + sumOf(places, (place) => place.tokens);
  return computed === 0 ? undefined : padding / computed;
}

/** The share of what was looked for that the cache had; undefined when nothing was. */
export function hitRate({ hits, misses }: CacheMeasures): number | undefined {
  return hits + misses === 0 ? undefined : hits / (hits + misses);
}

function mostOf({ batches }: PlaceMeasures, most: number): number {
  return batches === 0 ? 0 : batches * most;
}

function sumOf(places: readonly PlaceMeasures[], value: (place: PlaceMeasures) => number): number {
  return places.reduce((sum, place) => sum + value(place), 0);
}
