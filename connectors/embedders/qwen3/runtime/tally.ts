import type { PlaceMeasures } from "../../../../src/contracts/index.ts";
import { Latencies } from "../../../../src/flow/latencies.ts";
import { type Batch, cellsOf } from "./batch.ts";

/** Counts what one device has done. */
export class Tally {
  readonly #latencies = new Latencies();
  readonly #errors = new Map<string, number>();
  #batches = 0;
  #texts = 0;
  #tokens = 0;
  #padding = 0;

  computed(batch: Batch, milliseconds: number): void {
    this.#batches += 1;
    this.#texts += batch.rows.length;
    this.#tokens += batch.tokens;
    this.#padding += cellsOf(batch) - batch.tokens;
    this.#latencies.record(milliseconds);
  }

  failed(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  measures(
    now: Pick<PlaceMeasures, "place" | "inFlight" | "window" | "batchTokens" | "batchTexts">,
  ): PlaceMeasures {
    return {
      ...now,
      batches: this.#batches,
      texts: this.#texts,
      tokens: this.#tokens,
      padding: this.#padding,
      errors: Object.fromEntries(this.#errors),
      latency: {
        p50: this.#latencies.quantile(0.5),
        p95: this.#latencies.quantile(0.95),
        p99: this.#latencies.quantile(0.99),
      },
      ejected: false,
    };
  }
}
