import { isFault } from "../../../src/faults/index.ts";
import type { FailedCall } from "./faults.ts";
import type { WeaviateServer } from "./server.ts";
import {
  decodeDelete,
  decodeObjectErrors,
  encodeDelete,
  encodeObjects,
  type WireObject,
  type WireTarget,
} from "./wire-batch.ts";
import { WireError } from "./wire-error.ts";
import type { WireFilter } from "./wire-filter.ts";
import {
  decodeCount,
  decodeSearch,
  encodeCount,
  encodeSearch,
  type WireHit,
  type WireSearch,
} from "./wire-search.ts";

/** Objects of a page, unless the server gives fewer at once. */
const pageObjects = 500;

/** What of an object is wanted. */
export interface Wanted {
  readonly properties: readonly string[];
  readonly withVectors: boolean;
}

/** The objects of a collection or a tenant, ours and others'. */
export class Objects {
  readonly #server: WeaviateServer;
  readonly #target: WireTarget;
  readonly #vectorName: string | undefined;
  /** What the server gives at once. */
  #largestPage = pageObjects;

  constructor(server: WeaviateServer, target: WireTarget, vectorName: string | undefined) {
    this.#server = server;
    this.#target = target;
    this.#vectorName = vectorName;
  }

  /** Puts objects in place of those with their ids. Gives what the server says of those that it did not take. */
  put(
    verb: FailedCall["verb"],
    objects: readonly WireObject[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, string>> {
    const message = encodeObjects(this.#target, this.#vectorName, objects);
    return this.#server.call(verb, "BatchObjects", message, decodeObjectErrors, signal);
  }

  /** Deletes those of the ids that exist. Gives ids that are still there. */
  async delete(ids: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const message = encodeDelete(this.#target, withIds(ids));
    for (;;) {
      const { matches, successful } = await this.#server.call(
        "written",
        "BatchDelete",
        message,
        decodeDelete,
        signal,
      );
      if (matches <= successful) return [];
      if (successful === 0) break;
    }
    const left = await this.find(ids, { properties: [], withVectors: false }, signal);
    return left.map(({ id }) => id);
  }

  /** Those of the ids that exist. */
  async find(ids: readonly string[], wanted: Wanted, signal: AbortSignal): Promise<WireHit[]> {
    const found: WireHit[] = [];
    let rest = ids;
    while (rest.length > 0) {
      const page = await this.#page(
        (limit) => ({ filter: withIds(rest.slice(0, limit)), limit }),
        Math.min(rest.length, this.#largestPage),
        wanted,
        signal,
      );
      found.push(...page.hits);
      rest = rest.slice(page.limit);
    }
    return found;
  }

  /** All objects after an id, in the order of ids, in pages; each once, whatever is written meanwhile. */
  async *pages(
    after: string,
    wanted: Wanted,
    signal: AbortSignal,
    pageSize = pageObjects,
  ): AsyncGenerator<WireHit[]> {
    let last = after;
    for (;;) {
      const { hits } = await this.#page(
        (limit) => ({ after: last, limit }),
        Math.min(pageSize, this.#largestPage),
        wanted,
        signal,
      );
      const end = hits.at(-1);
      if (end === undefined) return;
      yield hits;
      last = end.id;
    }
  }

  /** The nearest objects, the nearest first. */
  near(
    vector: Float32Array,
    options: Wanted & { readonly limit: number; readonly filter?: WireFilter },
    signal: AbortSignal,
  ): Promise<WireHit[]> {
    return this.#search({ ...options, vectorName: this.#vectorName, near: vector }, signal);
  }

  count(filter: WireFilter | undefined, signal: AbortSignal): Promise<number> {
    const message = encodeCount(this.#target, filter);
    return this.#server.call("read", "Aggregate", message, decodeCount, signal);
  }

  /** One page, with fewer objects when the server, or the size of its answer, does not allow as many. */
  async #page(
    queryOf: (limit: number) => Pick<WireSearch, "filter" | "after" | "limit">,
    wishedLimit: number,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<{ readonly hits: WireHit[]; readonly limit: number }> {
    let limit = wishedLimit;
    for (;;) {
      try {
        const search = { ...queryOf(limit), ...wanted, vectorName: this.#vectorName };
        return { hits: await this.#search(search, signal), limit };
      } catch (error) {
        const smaller = this.#smallerPage(error, limit);
        if (smaller === undefined) throw error;
        limit = smaller;
      }
    }
  }

  #smallerPage(error: unknown, limit: number): number | undefined {
    if (!isFault(error) || !(error.cause instanceof WireError) || limit === 1) return undefined;
    if (error.code === "sink.too-large") return limit >> 1;
    const [, maximum] = /QUERY_MAXIMUM_RESULTS '(\d+)'/.exec(error.cause.message) ?? [];
    if (maximum === undefined || Number(maximum) >= limit) return undefined;
    this.#largestPage = Math.max(1, Number(maximum));
    return this.#largestPage;
  }

  #search(search: WireSearch, signal: AbortSignal): Promise<WireHit[]> {
    const message = encodeSearch(this.#target, search);
    return this.#server.call("read", "Search", message, decodeSearch, signal);
  }
}

function withIds(ids: readonly string[]): WireFilter {
  return {
    operator: "contains-any",
    property: "_id",
    value: { kind: "texts", value: ids },
  };
}
