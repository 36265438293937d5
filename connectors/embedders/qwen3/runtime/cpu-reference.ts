import type { Clock } from "../../../../src/contracts/index.ts";
import { assert } from "../../../../src/faults/index.ts";
import { Place, type PlaceOptions } from "./place.ts";
import { type Reference, singles, timeTogether } from "./self-test.ts";

/** What the CPU computes for the rows of the self-test; the model is loaded there when it is asked for. */
export class CpuReference {
  readonly #options: PlaceOptions;
  readonly #rows: readonly Int32Array[];
  #place: Place | undefined;
  #vectors: Reference | undefined;

  constructor(options: PlaceOptions, rows: readonly Int32Array[]) {
    this.#options = options;
    this.#rows = rows;
  }

  async vectors(signal: AbortSignal): Promise<Reference> {
    this.#place ??= await Place.open(this.#options, signal);
    this.#vectors ??= await singles(this.#place, this.#rows, signal);
    return this.#vectors;
  }

  /** How long the CPU takes for the rows at once, in milliseconds; asked after `vectors`. */
  async milliseconds(clock: Clock, signal: AbortSignal): Promise<number> {
    assert(this.#place !== undefined, "The CPU is timed before it has computed anything.");
    return timeTogether(this.#place, this.#rows, clock, signal);
  }

  /** The CPU with the model loaded, for whoever is going to use it; from then on its own. */
  async take(signal: AbortSignal): Promise<Place> {
    const place = this.#place ?? (await Place.open(this.#options, signal));
    this.#place = undefined;
    return place;
  }

  async close(): Promise<void> {
    await this.#place?.close();
  }
}
