/**
 * A server that reads this many tokens per second in total, as continuous batching does: requests are served in the
 * order of arrival, the next one begins in the same step in which the one before ends, and no speed is lost between.
 */
export class TokenQueue {
  readonly #tokensPerSecond: number;
  /** When everything that has arrived will have been read; monotonic milliseconds. */
  #freeAt = 0;
  #busyMs = 0;

  constructor(tokensPerSecond: number) {
    this.#tokensPerSecond = tokensPerSecond;
  }

  /** Milliseconds in which the server had something to read. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Takes a request; gives the milliseconds from now until it is answered. */
  take(tokens: number, now: number): number {
    const serviceMs = (tokens / this.#tokensPerSecond) * 1000;
    this.#busyMs += serviceMs;
    this.#freeAt = Math.max(this.#freeAt, now) + serviceMs;
    return this.#freeAt - now;
  }
}
