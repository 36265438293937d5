import type { Clock } from "../../contracts/index.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** Virtual time of a simulated world: it stands still while anybody can run, then jumps to the next timer. */
export class Timeline {
  time = 0;
  #order = 0;
  readonly #timers: Timer[] = [];

  /** Calls back after this many milliseconds. */
  after(milliseconds: number, fire: () => void): { readonly cancel: () => void } {
    const at = this.time + Math.max(0, milliseconds);
    const timer = { at, order: this.#order, fire, cancelled: false };
    this.#order += 1;
    const later = this.#timers.findIndex((other) => other.at > at);
    if (later === -1) this.#timers.push(timer);
    else this.#timers.splice(later, 0, timer);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  /** Jumps to the next timer and fires it; false when there is none. */
  advance(): boolean {
    for (;;) {
      const timer = this.#timers.shift();
      if (timer === undefined) return false;
      if (timer.cancelled) continue;
      this.time = timer.at;
      timer.fire();
      return true;
    }
  }

  /** Fires everything up to a later time. */
  pass(milliseconds: number): void {
    const until = this.time + milliseconds;
    while (this.#timers.some((timer) => !timer.cancelled && timer.at <= until)) this.advance();
    this.time = until;
  }
}

/** The clock of one simulated process: its own monotonic start, a wall clock that may have jumped. */
export function processClock(
  timeline: Timeline,
  options: { readonly wallOffset: number; readonly isDead: () => boolean },
): Clock {
  const start = timeline.time;
  return {
    now: () => 1_700_000_000_000 + timeline.time + options.wallOffset,
    monotonic: () => timeline.time - start,
    sleep(milliseconds, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const timer = timeline.after(milliseconds, () => {
          if (options.isDead()) return;
          signal.removeEventListener("abort", abort);
          resolve();
        });
        const abort = (): void => {
          timer.cancel();
          reject(signal.reason);
        };
        signal.addEventListener("abort", abort, { once: true });
      });
    },
  };
}
