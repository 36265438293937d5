import type { FaultLike } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";

/** What became of one item: its result, or its own fault. */
export type Outcome<R> = { readonly value: R } | { readonly fault: FaultLike };

/**
 * Calls with all items; when the call fails for a reason that lies in the items (`document` scope, or `smaller`),
 * halves them until only the guilty items fail. Component faults and aborts reject.
 */
export async function bisect<I, R>(
  items: readonly I[],
  call: (items: readonly I[]) => Promise<readonly Outcome<R>[]>,
): Promise<readonly Outcome<R>[]> {
  try {
    return await call(items);
  } catch (error) {
    if (!isFault(error)) throw error;
    const divisible = error.scope === "document" || error.retry === "smaller";
    if (!divisible || error.ambiguous) throw error;
    if (items.length === 1) return [{ fault: error }];
    const middle = items.length >> 1;
    const left = await bisect(items.slice(0, middle), call);
    const right = await bisect(items.slice(middle), call);
    return [...left, ...right];
  }
}
