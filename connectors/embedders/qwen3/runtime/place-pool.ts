import type { Clock, ComponentNote, PlaceMeasures } from "../../../../src/contracts/index.ts";
import { assert, Fault } from "../../../../src/faults/index.ts";
import { type Batch, batchOf } from "./batch.ts";
import { CrashFault, type Place } from "./place.ts";
import { sentence } from "./problem-fault.ts";

/** How long a device that failed is left alone while others work. */
const pauseMs = 60_000;

interface Failure {
  readonly until: number;
  readonly reason: string;
}

/**
 * Gives each batch to the device with the least to do, and to another one when that fails. Where all fail at a batch, a row
 * that every device has run before tells whether the batch is to blame.
 */
export class PlacePool {
  readonly #places: readonly Place[];
  readonly #proof: Batch;
  readonly #clock: Clock;
  readonly #failures = new Map<Place, Failure>();

  constructor(places: readonly Place[], proven: Int32Array, clock: Clock) {
    this.#places = places;
    this.#proof = batchOf([proven]);
    this.#clock = clock;
  }

  /** Rejects with the fault of the batch, or with that of the last device when all fail, whatever they are given. */
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
        // No device is worse than another.
        for (const one of tried) this.#failures.delete(one);
        if (!(error instanceof CrashFault) || !(await this.#works(place, signal))) throw error;
        throw crashOfText(batch, error);
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

  async #works(place: Place, signal: AbortSignal): Promise<boolean> {
    try {
      await place.run(this.#proof, signal, 1);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Fault) return false;
      throw error;
    }
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

/** A text that ends the thread whenever it is run would end every run. */
function crashOfText({ rows, columns }: Batch, cause: CrashFault): Fault {
  const single = rows.length === 1;
  const what = single ? `a text of ${columns} tokens` : `${rows.length} texts`;
  return new Fault(
    "embed.text-crashes",
    `The model fails at ${what}, and works with others. ${cause.event} Lower \`chunker.max_tokens\`, or choose another ` +
      "`device`.",
    { retry: single ? "never" : "smaller", cause },
  );
}
