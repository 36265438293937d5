import type { Clock } from "../../../../src/contracts/index.ts";
import { Timeline } from "../../../../src/testkit/simulation/timeline.ts";

const immediate = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A clock that jumps to its next timer whenever nothing else can run: waiting costs a test no time. */
export class VirtualClock implements Clock {
  readonly timeline = new Timeline();
  /** The wall clock at the start; a test moves it to make the clock jump. */
  wall = 1_700_000_000_000;
  /** While true, time stands still. */
  frozen = false;
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: number[] = [];
  #pumping = false;

  now(): number {
    return this.wall + this.timeline.time;
  }

  monotonic(): number {
    return this.timeline.time;
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.waits.push(milliseconds);
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.timeline.after(milliseconds, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      signal.addEventListener("abort", abort, { once: true });
      void this.#pump();
    });
  }

  /** Lets everything that waits for no timer run, then fires what is due within this long. */
  async pass(milliseconds: number): Promise<void> {
    await immediate();
    this.timeline.pass(milliseconds);
    await immediate();
  }

  async #pump(): Promise<void> {
    if (this.#pumping || this.frozen) return;
    this.#pumping = true;
    do {
      await immediate();
      await immediate();
    } while (!this.frozen && this.timeline.advance());
    this.#pumping = false;
  }
}
