/** The requests to stop that a terminal or a supervisor sends: the first is gentle where a command knows how. */
export class StopSignals {
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  #gentle: (() => void) | undefined;

  /** Nothing new is begun; what is in flight is finished. Only for a command that asked with `drain`. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Every call is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get requested(): boolean {
    return this.#stop.signal.aborted || this.#abort.signal.aborted;
  }

  /** From now on the first request only stops, and is told. */
  drain(told: () => void): void {
    this.#gentle = told;
  }

  /** Listens to the process. A third request ends it at once, which is safe too. */
  listen(): void {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => this.request());
    }
  }

  request(): void {
    if (this.#abort.signal.aborted) process.exit(130);
    if (this.#gentle === undefined || this.#stop.signal.aborted) {
      this.#abort.abort();
      return;
    }
    this.#stop.abort();
    this.#gentle();
  }
}
