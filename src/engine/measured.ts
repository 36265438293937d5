import type { PlaceMeasures } from "../contracts/index.ts";
import {
  batchFill,
  type EmbeddingMeasures,
  hitRate,
  paddingShare,
  type RunMeasures,
} from "./measures.ts";
import type { EmbeddingSummary, PlaceSummary, RunSummary } from "./summary.ts";

/** What was measured, as a summary tells it: rounded, and only of what there was. */
export function measured({
  embedding,
  cache,
  loop,
  gpus,
}: RunMeasures): Pick<RunSummary, "embedding" | "cache" | "event_loop" | "gpus"> {
  const asked = embedding.calls > 0 || Object.keys(embedding.errors).length > 0;
  const rate = cache === undefined ? undefined : hitRate(cache);
  return {
    ...(asked ? { embedding: embeddingSummary(embedding) } : {}),
    ...(cache === undefined
      ? {}
      : { cache: { ...cache, ...(rate === undefined ? {} : { hit_rate: share(rate) }) } }),
    ...(loop === undefined
      ? {}
      : {
          event_loop: {
            delay_ms: { p50: fine(loop.p50), p99: fine(loop.p99), max: fine(loop.max) },
          },
        }),
    ...(gpus.length === 0
      ? {}
      : {
          gpus: gpus.map(({ gpu, name, memoryUsedBytes, memoryTotalBytes, utilization }) => ({
            gpu,
            name,
            memory_used_bytes: memoryUsedBytes,
            memory_total_bytes: memoryTotalBytes,
            ...(utilization === undefined ? {} : { utilization: share(utilization) }),
          })),
        }),
  };
}

function embeddingSummary(embedding: EmbeddingMeasures): EmbeddingSummary {
  const { texts, tokens, calls, busyMs, retries, errors, latency, mostWaiting, places } = embedding;
  const perSecond = (value: number): number => (busyMs === 0 ? 0 : fine((value / busyMs) * 1000));
  return {
    calls,
    busy_ms: Math.round(busyMs),
    texts_per_second: perSecond(texts),
    tokens_per_second: perSecond(tokens),
    latency_ms: quantiles(latency),
    most_waiting: mostWaiting,
    retries,
    errors,
    ...shares(places),
    places: places.map(placeSummary),
  };
}

function placeSummary(measures: PlaceMeasures): PlaceSummary {
  const { place, batches, texts, tokens, errors, window, ejected, latency, load } = measures;
  return {
    place,
    batches,
    texts,
    tokens,
    ...shares([measures]),
    latency_ms: quantiles(latency),
    errors,
    window,
    ejected,
    ...(load === undefined ? {} : { load }),
  };
}

function shares(
  places: readonly PlaceMeasures[],
): Pick<EmbeddingSummary, "batch_fill" | "padding"> {
  const fill = batchFill(places);
  const padding = paddingShare(places);
  return {
    ...(fill === undefined ? {} : { batch_fill: share(fill) }),
    ...(padding === undefined ? {} : { padding: share(padding) }),
  };
}

function quantiles({
  p50,
  p95,
  p99,
}: EmbeddingMeasures["latency"]): EmbeddingSummary["latency_ms"] {
  return { p50: fine(p50), p95: fine(p95), p99: fine(p99) };
}

function fine(value: number): number {
  return Math.round(value * 10) / 10;
}

function share(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
