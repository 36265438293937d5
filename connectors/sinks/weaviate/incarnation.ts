import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault, isFault } from "../../../src/faults/index.ts";
import type { CollectionOptions } from "./collection-options.ts";
import { hasIncarnation } from "./marker.ts";

/**
 * Notices that the collection, or the tenant, was dropped or made anew. A server whose `AUTOSCHEMA_ENABLED` is on, as it
 * is by default, makes a dropped collection again when something is written to it, with a schema of its own liking; and
 * an empty collection takes vectors of any length.
 */
export class Incarnation {
  readonly #options: CollectionOptions;
  #known: string | undefined;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.#known = options.seen.marker?.incarnation;
  }

  /** From now on the collection is the one with this marker. */
  marked(marker: CollectionMarker): void {
    this.#options.seen.marker = marker;
    this.#known = marker.incarnation;
  }

  /** Rejects with `sink.missing` when the collection is not the one that was opened. Called before every write. */
  async check(signal: AbortSignal): Promise<void> {
    const { objects, server } = this.#options;
    if (this.#known === undefined || (await hasIncarnation(objects, this.#known, signal))) return;
    throw new Fault(
      "sink.missing",
      `The collection ${server.options.place.shown} was dropped or made anew since it was opened. Run again.`,
    );
  }

  /** The same after a write; takes back what went into the wrong collection meanwhile. */
  async checkAfter(written: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await this.check(signal);
    } catch (error) {
      if (isFault(error) && error.code === "sink.missing" && written.length > 0) {
        // Nobody else has these ids. What cannot be deleted is an orphan that `verify` tells of.
        await this.#options.objects.delete(written, signal).catch(() => undefined);
      }
      throw error;
    }
  }
}
