import type { EmbeddingModel, JsonObject, StateSession } from "../contracts/index.ts";

/** What embedding these tokens will take, as far as that can be known. */
export interface Estimate {
  /** At the speed of recent runs; left out when none embedded enough to tell. */
  readonly estimated_seconds?: number;
  /** At the price of the embedder's configuration, in its currency; left out when there is none. */
  readonly estimated_cost?: number;
}

/** Runs that embedded less than this spent their time on something else. */
const tellingTokens = 1_000;
const recentRuns = 20;

export async function estimate(
  tokens: number,
  model: EmbeddingModel,
  session: StateSession | undefined,
): Promise<Estimate> {
  const perMs = session === undefined ? undefined : await recentSpeed(session);
  const price = model.pricePerMillionTokens;
  return {
    ...(perMs === undefined ? {} : { estimated_seconds: Math.ceil(tokens / perMs / 1000) }),
    ...(price === undefined ? {} : { estimated_cost: (tokens / 1e6) * price }),
  };
}

/** Tokens a millisecond. */
async function recentSpeed(session: StateSession): Promise<number | undefined> {
  let tokens = 0;
  let duration = 0;
  for (const { summary } of await session.runs(recentRuns)) {
    const embedded = numberIn(summary, "tokens");
    if (embedded < tellingTokens) continue;
    tokens += embedded;
    duration += numberIn(summary, "duration_ms");
  }
  return tokens === 0 || duration === 0 ? undefined : tokens / duration;
}

function numberIn(summary: JsonObject | undefined, key: string): number {
  const value = summary?.[key];
  return typeof value === "number" ? value : 0;
}
