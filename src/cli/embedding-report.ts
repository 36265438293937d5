import type { EmbeddingSummary, RunSummary } from "../engine/index.ts";
import { count, countOf, duration, percent } from "./format.ts";

/** The speed of what is over sooner says nothing. */
const worthTellingMs = 1_000;

/** How fast the model was, where that took a while or something failed, and what the cache saved; a line each. */
export function embeddingLines({ embedding, cache }: RunSummary): string[] {
  const lines: string[] = [];
  if (embedding !== undefined) {
    const parts = [...speedParts(embedding), ...failureParts(embedding)];
    if (parts.length > 0) lines.push(`  embedding  ${parts.join(", ")}`);
  }
  // On a first run there is nothing to be found.
  if (cache?.hit_rate !== undefined && cache.hits > 0) {
    const asked = count(cache.hits + cache.misses);
    lines.push(`  cache      had ${count(cache.hits)} of ${asked} (${percent(cache.hit_rate)})`);
  }
  return lines;
}

function speedParts(embedding: EmbeddingSummary): string[] {
  const { calls, busy_ms: busyMs, batch_fill: fill, padding = 0, places } = embedding;
  if (calls === 0 || busyMs < worthTellingMs) return [];
  const texts = count(Math.round(embedding.texts_per_second));
  const tokens = count(Math.round(embedding.tokens_per_second));
  // As in the progress: of several places the slowest.
  const slowest = Math.max(0, ...places.map(({ latency_ms: latency }) => latency.p95));
  return [
    `${texts} texts/s, ${tokens} tokens/s in ${duration(busyMs)}`,
    ...(fill === undefined ? [] : [`batches ${percent(fill)} full`]),
    ...(padding > 0 ? [`${percent(padding)} padding`] : []),
    `p95 ${duration(slowest || embedding.latency_ms.p95)}`,
  ];
}

function failureParts({ errors }: EmbeddingSummary): string[] {
  const codes = Object.entries(errors);
  if (codes.length === 0) return [];
  const all = codes.reduce((sum, [, times]) => sum + times, 0);
  const told = codes.map(([code, times]) => `${code} ${count(times)}×`);
  return [`${countOf(all, "call")} failed (${told.join(", ")})`];
}
