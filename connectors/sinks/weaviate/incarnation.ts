import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { CollectionOptions } from "./collection-options.ts";
import { hasIncarnation } from "./marker.ts";

/** A look at the marker that is younger than this makes another one before a write superfluous. */
const freshMs = 1_000;

/**
 * Notices that the collection, or the tenant, was dropped or made anew. A server whose `AUTOSCHEMA_ENABLED` is on, as it
 * is by default, makes a dropped collection again when something is written to it, with a schema of its own liking.
 */
export class Incarnation {
  readonly #options: CollectionOptions;
  #known: string | undefined;
  #seenAt = -Infinity;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.#known = options.seen.marker?.incarnation;
  }

  /** From now on the collection is the one with this marker. */
  marked(marker: CollectionMarker): void {
    this.#options.seen.marker = marker;
    this.#known = marker.incarnation;
    this.#seenAt = this.#options.clock.monotonic();
  }

  /** Before a write; looks unless somebody has looked a moment ago. */
  async checkBefore(signal: AbortSignal): Promise<void> {
    if (this.#options.clock.monotonic() - this.#seenAt > freshMs) await this.check(signal);
  }

  /** Rejects with `sink.missing` when the collection is not the one that was opened. */
  async check(signal: AbortSignal): Promise<void> {
    const { clock, objects, server } = this.#options;
    const now = clock.monotonic();
    if (this.#known === undefined) return;
    if (!(await hasIncarnation(objects, this.#known, signal))) {
      throw new Fault(
        "sink.missing",
        `The collection ${server.options.place.shown} was dropped or made anew since it was opened. Run again.`,
      );
    }
    this.#seenAt = now;
  }
}
