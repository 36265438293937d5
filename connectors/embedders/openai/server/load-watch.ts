import type { Clock, PlaceLoad } from "../../../../src/contracts/index.ts";

/** What was heard is told for this long before the server is asked again. */
const freshMs = 5_000;
/** After so many answers in a row that told nothing it is not asked any more. */
const failuresAllowed = 3;

/** The load that a server tells of itself. It is asked in passing, by whoever reads: nobody waits for the answer. */
export class LoadWatch {
  readonly #clock: Clock;
  readonly #ask: () => Promise<PlaceLoad | undefined>;
  #seen: PlaceLoad | undefined;
  #isAsking = false;
  #nextAt = -Infinity;
  #failures = 0;

  constructor(clock: Clock, ask: () => Promise<PlaceLoad | undefined>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** As it was heard last; undefined before, and when the server has stopped telling. */
  read(): PlaceLoad | undefined {
    const isDue = this.#clock.monotonic() >= this.#nextAt && this.#failures < failuresAllowed;
    if (isDue && !this.#isAsking) void this.#refresh();
    return this.#seen;
  }

  async #refresh(): Promise<void> {
    this.#isAsking = true;
    this.#seen = await this.#ask().catch(() => undefined);
    this.#failures = this.#seen === undefined ? this.#failures + 1 : 0;
    this.#nextAt = this.#clock.monotonic() + freshMs;
    this.#isAsking = false;
  }
}
