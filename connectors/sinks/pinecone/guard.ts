import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { DataPlane } from "./data-plane.ts";
import { poll } from "./poll.ts";
import type { MarkerStore } from "./marker.ts";

/** How often a collection that is being written is asked whether it is still the same. */
const checkEveryMs = 10_000;

/** What a sink has seen of its namespace's marks; shared by its collections. */
export interface SeenMarks {
  marker: CollectionMarker | undefined;
  /** The incarnation of which the store knows that records were written to it. */
  written: string | undefined;
  /** This client has sent records, with a marker or without. */
  sent: boolean;
}

/**
 * Stands before writes: an index that was deleted and made anew behind the same address must not take the rest of a
 * run, and the store must know of records before the first one is sent.
 */
export class WriteGuard {
  readonly #plane: DataPlane;
  readonly #markers: MarkerStore;
  readonly #seen: SeenMarks;
  readonly #limitMs: number;
  #checkedAt: number;

  constructor(options: {
    readonly plane: DataPlane;
    readonly markers: MarkerStore;
    readonly seen: SeenMarks;
    readonly limitMs: number;
  }) {
    this.#plane = options.plane;
    this.#markers = options.markers;
    this.#seen = options.seen;
    this.#limitMs = options.limitMs;
    this.#checkedAt = this.#now();
  }

  async beforeWrite(options: { readonly upserts: boolean }, signal: AbortSignal): Promise<void> {
    const { marker } = this.#seen;
    if (marker !== undefined) await this.#checkMarker(marker, signal);
    if (!options.upserts) return;
    this.#seen.sent = true;
    if (marker === undefined || this.#seen.written === marker.incarnation) return;
    await this.#markers.noteWritten(marker.incarnation, signal);
    this.#seen.written = marker.incarnation;
  }

  async #checkMarker({ incarnation }: CollectionMarker, signal: AbortSignal): Promise<void> {
    if (this.#now() - this.#checkedAt < checkEveryMs) return;
    this.#checkedAt = this.#now();
    // A replica may be behind: only what stays so counts.
    const isSame = await poll(this.#plane.options.client.clock, this.#limitMs, signal, async () => {
      return (await this.#markers.incarnation(signal)) === incarnation;
    });
    if (isSame) return;
    throw new Fault(
      "sink.missing",
      `The collection ${this.#plane.options.client.address} was deleted and made anew, or lost its marker, since it was ` +
        "opened. Run again.",
    );
  }

  #now(): number {
    return this.#plane.options.client.clock.monotonic();
  }
}
