import type { PlaceLoad } from "../../../../src/contracts/index.ts";
import type { ServerKind } from "./server-kind.ts";

type LoadNames = { readonly [Part in keyof PlaceLoad]?: readonly string[] };

/** What the products call their gauges at `/metrics`; an older name behind the newer one. */
const names: Readonly<Partial<Record<ServerKind, LoadNames>>> = {
  vllm: {
    running: ["vllm:num_requests_running"],
    waiting: ["vllm:num_requests_waiting"],
    memory: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
  },
  sglang: {
    running: ["sglang:num_running_reqs"],
    waiting: ["sglang:num_queue_reqs"],
    memory: ["sglang:token_usage"],
  },
  tei: { waiting: ["te_queue_size"] },
  "llama.cpp": {
    running: ["llamacpp:requests_processing"],
    waiting: ["llamacpp:requests_deferred"],
  },
};

/** Whether a product tells its load. */
export function tellsLoad(kind: ServerKind | undefined): kind is ServerKind {
  return kind !== undefined && names[kind] !== undefined;
}

/** The load that a page of metrics tells; undefined when it has none of the names. */
export function loadOf(kind: ServerKind, page: string): PlaceLoad | undefined {
  const samples = samplesOf(page);
  const known = Object.entries(names[kind] ?? {}).flatMap(([part, candidates]) => {
    const values = candidates.map((name) => samples.get(name)).find((found) => found !== undefined);
    if (values === undefined) return [];
    // Of several engines or GPUs: requests add up, and the fullest memory is the bound.
    const value =
      part === "memory"
        ? Math.min(1, Math.max(...values))
        : values.reduce((sum, one) => sum + one, 0);
    return [[part, value] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

function samplesOf(page: string): ReadonlyMap<string, readonly number[]> {
  const samples = new Map<string, number[]>();
  for (const [, name = "", text] of page.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/gm)) {
    const value = Number(text);
    if (!Number.isFinite(value) || value < 0) continue;
    samples.set(name, [...(samples.get(name) ?? []), value]);
  }
  return samples;
}
