import type { Clock, ComponentNote, PlaceMeasures } from "../../../../src/contracts/index.ts";
import { assert, Fault } from "../../../../src/faults/index.ts";
import type { Batch } from "./batch.ts";
import type { Place } from "./place.ts";
import { sentence } from "./problem-fault.ts";

/** How long a device that failed is left alone while others work. */
const pauseMs = 60_000;

interface Failure {
  readonly until: number;
  readonly reason: string;
}

/** Gives each batch to the device with the least to do, and to another one when that fails. */
export class PlacePool {
  readonly #places: readonly Place[];
  readonly #clock: Clock;
  readonly #failures = new Map<Place, Failure>();

  constructor(places: readonly Place[], clock: Clock) {
    this.#places = places;
    this.#clock = clock;
  }

  /** Rejects with the fault of the batch, or with that of the last device when all fail at it. */
  async run(batch: Batch, signal: AbortSignal): Promise<Float32Array> {
    const tried = new Set<Place>();
    for (;;) {
      const place = this.#next(tried);
      try {
        const values = await place.run(batch, signal);
        this.#failures.delete(place);
        return values;
      } catch (error) {
        tried.add(place);
        if (!(error instanceof Fault) || !isOfDevice(error)) throw error;
        const until = this.#clock.monotonic() + pauseMs;
        this.#failures.set(place, { until, reason: error.message });
        if (tried.size < this.#places.length) continue;
        // It is the batch then, and no device is worse than another.
        for (const one of tried) this.#failures.delete(one);
        throw error;
      }
    }
  }

  measures(): readonly PlaceMeasures[] {
    return this.#places.map((place) => ({ ...place.measures(), ejected: this.#isAway(place) }));
  }

  notes(): readonly ComponentNote[] {
    return [...this.#failures].map(([{ name }, { reason }]) => ({
      level: "warning",
      message: `\`${name}\` failed, and the others do its work. ${sentence(reason)}`,
    }));
  }

  #next(tried: ReadonlySet<Place>): Place {
    const [best] = this.#places
      .filter((place) => !tried.has(place))
      .toSorted(
        (a, b) => Number(this.#isAway(a)) - Number(this.#isAway(b)) || a.inFlight - b.inFlight,
      );
    assert(best !== undefined, "A batch is tried once on each device.");
    return best;
  }

  #isAway(place: Place): boolean {
    return (this.#failures.get(place)?.until ?? 0) > this.#clock.monotonic();
  }
}

/** Whether the device failed, and not the batch: its thread died again and again, or could not be started again. */
function isOfDevice({ code }: Fault): boolean {
  return code === "embed.crashed" || code === "embed.device";
}
