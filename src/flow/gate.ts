import { raceAbort } from "./abort.ts";

/**
 * Bounds work in flight by weight (bytes, tokens). First come, first served; an item heavier than the whole capacity
 * is let through alone.
 */
export class Gate {
  readonly #capacity: number;
  #used = 0;
  #waiting: { readonly weight: number; readonly enter: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Weight let through and not yet given back. */
  get used(): number {
    return this.#used;
  }

  /** Waits for room; resolves with the function that gives it back (once). Rejects on abort. */
  async enter(weight: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const share = Math.min(Math.max(weight, 0), this.#capacity);
    if (this.#waiting.length === 0 && this.#used + share <= this.#capacity) {
      this.#used += share;
    } else {
      const waiter = Promise.withResolvers<void>();
      const entry = { weight: share, enter: waiter.resolve };
      this.#waiting.push(entry);
      try {
        await raceAbort(waiter.promise, signal);
      } catch (error) {
        if (this.#waiting.includes(entry)) {
          this.#waiting = this.#waiting.filter((other) => other !== entry);
          // It may have held up lighter ones.
          this.#admit();
        } else {
          this.#leave(share);
        }
        throw error;
      }
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave(share);
    };
  }

  #leave(share: number): void {
    this.#used -= share;
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#used + first.weight > this.#capacity) return;
      this.#waiting.shift();
      this.#used += first.weight;
      first.enter();
    }
  }
}
