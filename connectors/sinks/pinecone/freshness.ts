import type { VisibilityToken } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { DataPlane } from "./data-plane.ts";
import { poll } from "./poll.ts";

/** Knows which of a namespace's writes reads must see, and waits for it. Reads come behind writes. */
export class Freshness {
  readonly #plane: DataPlane;
  readonly #dimension: number;
  readonly #limitMs: number;
  #written = 0;

  constructor(plane: DataPlane, options: { readonly dimension: number; readonly limitMs: number }) {
    this.#plane = plane;
    this.#dimension = options.dimension;
    this.#limitMs = options.limitMs;
  }

  /**
   * Remembers the numbers that writes were given in the namespace's log, if any; gives the token of everything noted.
   * Writes that are under way at once may be answered in any order.
   */
  note(numbers: readonly (number | undefined)[]): VisibilityToken | undefined {
    const known = numbers.filter((lsn) => lsn !== undefined);
    if (known.length === 0) return undefined;
    this.#written = Math.max(this.#written, ...known);
    return { lsn: this.#written };
  }

  /** Waits until reads see the write of a token; of everything noted, without one. */
  async wait(token: VisibilityToken | undefined, signal: AbortSignal): Promise<void> {
    const lsn = token === undefined ? this.#written : Number(token["lsn"]);
    if (lsn === 0) return;
    const seen = await poll(this.#plane.options.client.clock, this.#limitMs, signal, async () => {
      const vector = unitVector(this.#dimension);
      const search = { vector, topK: 1, includeMetadata: false };
      const { indexedLsn } = await this.#plane.query(search, signal);
      // An index that does not tell cannot be waited for.
      return indexedLsn === undefined || indexedLsn >= lsn;
    });
    if (seen) return;
    throw new Fault(
      "sink.not-ready",
      `The collection ${this.#plane.options.client.address} still does not show its last writes, ${this.#limitMs} ms after them. ` +
        "They are safe; look again later, or raise `visibility_timeout_ms`.",
    );
  }
}

/** A vector that every index of this dimension takes. */
export function unitVector(dimension: number): number[] {
  const vector = Array.from<number>({ length: dimension }).fill(0);
  vector[0] = 1;
  return vector;
}
