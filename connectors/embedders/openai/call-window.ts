/** How a call ended, for the window: it brought vectors, the server has too much to do, or neither tells anything. */
export type CallOutcome = "brought" | "overloaded" | "other";

/** A window begins here and doubles with every round of answers, until the server has too much to do. */
const firstSize = 8;
/** Rounds at a size known to be right, before one more is tried. */
const patientRounds = 16;

/**
 * How many calls may be under way at a server: it grows with success and halves when the server has too much to do, as
 * TCP's does. It remembers the size that was too much: back below it quickly, beyond it with patience, so that the
 * server is kept busy and rarely overrun.
 */
export class CallWindow {
  #most: number;
  #size: number;
  #inFlight = 0;
  /** Calls begun; a call's number tells whether it began before the last cut. */
  #begun = 0;
  #cutAt = 0;
  /** The size that was too much the last time. */
  #ceiling = Infinity;

  /** Never more calls than `most`. */
  constructor(most: number) {
    this.#most = most;
    this.#size = Math.min(most, firstSize);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get most(): number {
    return this.#most;
  }

  /** How many calls there may be at present; at least one. */
  get size(): number {
    return Math.floor(this.#size);
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.size;
  }

  /** The server itself allows no more than this. */
  lower(most: number): void {
    this.#most = Math.max(1, Math.min(this.#most, most));
    this.#size = Math.min(this.#size, this.#most);
  }

  /** Begins a call, and gives the function that ends it. */
  begin(): (outcome: CallOutcome) => void {
    this.#inFlight += 1;
    this.#begun += 1;
    const number = this.#begun;
    return (outcome) => {
      const wasBusy = this.#inFlight * 2 > this.#size;
      this.#inFlight -= 1;
      if (outcome === "brought" && wasBusy) this.#grow();
      // All calls of one round meet the same overload: they cut once.
      if (outcome === "overloaded" && number > this.#cutAt) this.#cut();
    };
  }

  #grow(): void {
    this.#size = Math.min(this.#size + this.#step(), this.#most);
  }

  #step(): number {
    const knownGood = this.#ceiling - 1;
    if (this.#size + 1 <= knownGood) return 1;
    if (this.#size < knownGood) return knownGood - this.#size;
    return this.#size < this.#ceiling ? 1 / (this.#size * patientRounds) : 1 / this.#size;
  }

  #cut(): void {
    this.#cutAt = this.#begun;
    this.#ceiling = this.size;
    this.#size = Math.max(1, this.#size / 2);
  }
}
