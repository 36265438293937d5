import { Place, type PlaceOptions } from "./place.ts";
import { type Reference, singles } from "./self-test.ts";

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
