import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between the looks; the measure is as fine as this. */
const resolutionMs = 10;
const nanosecondsPerMs = 1e6;

/** For how long the main thread did nothing else than what it was just doing, in milliseconds. */
export interface LoopDelays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Watches for how long the main thread is blocked. Costs a timer every ten milliseconds, which keeps no process alive. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Since the start; zeros before the first look. */
  read(): LoopDelays {
    const { count, max } = this.#histogram;
    if (count === 0) return { p50: 0, p99: 0, max: 0 };
    const [p50, p99] = [50, 99].map((share) => this.#histogram.percentile(share));
    return { p50: delayOf(p50), p99: delayOf(p99), max: delayOf(max) };
  }
}

/** What is recorded is the time from look to look. */
function delayOf(nanoseconds = 0): number {
  return Math.max(0, nanoseconds / nanosecondsPerMs - resolutionMs);
}
