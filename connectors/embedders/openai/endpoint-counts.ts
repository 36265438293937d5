import { isFault } from "../../../src/faults/index.ts";
import { Latencies } from "../../../src/flow/latencies.ts";
import type { Answer } from "./answer.ts";

/** What an endpoint has done; counters only grow. */
export class EndpointCounts {
  readonly #latencies = new Latencies();
  readonly #errors = new Map<string, number>();
  #texts = 0;
  #tokens = 0;

  answered(answer: Answer, milliseconds: number): void {
    this.#latencies.record(milliseconds);
    this.#texts += answer.vectors.length;
    this.#tokens += answer.tokens ?? 0;
  }

  failed(error: unknown): void {
    // What was stopped is nobody's failure.
    if (!isFault(error) || error.code === "aborted") return;
    this.#errors.set(error.code, (this.#errors.get(error.code) ?? 0) + 1);
  }

  measures(): {
    readonly batches: number;
    readonly texts: number;
    readonly tokens: number;
    readonly errors: Readonly<Record<string, number>>;
    readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number };
  } {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => this.#latencies.quantile(share));
    return {
      batches: this.#latencies.count,
      texts: this.#texts,
      tokens: this.#tokens,
      errors: Object.fromEntries(this.#errors),
      latency: { p50: p50 ?? 0, p95: p95 ?? 0, p99: p99 ?? 0 },
    };
  }
}
