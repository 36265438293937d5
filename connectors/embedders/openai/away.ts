import { Fault } from "../../../src/faults/index.ts";

/** An endpoint asked to be left alone, with this fault, until this moment of the monotonic clock. */
export interface Away {
  readonly until: number;
  readonly fault: Fault;
}

/** Whether a server was too busy for a call, or named a time to come back: another one may take it at once. */
export function asksToWait(error: unknown): error is Fault {
  if (!(error instanceof Fault) || error.scope !== "component" || error.retry !== "later") {
    return false;
  }
  return error.code === "embed.rate-limited" || error.retryAfterMs !== undefined;
}

/**
 * The fault of a call that no endpoint takes now: the caller waits for the one that is back first, and not at all when one
 * named no time. `aways` has an entry for each endpoint in use; `last` is what the call met. Undefined when one has just
 * come back that the call has not tried.
 */
export function shortestWait(
  aways: readonly (Away | undefined)[],
  last: Fault | undefined,
  now: number,
): Fault | undefined {
  const present = aways.filter((away) => away !== undefined);
  const [nearest] = present.toSorted((a, b) => a.until - b.until);
  if (nearest === undefined || present.length < aways.length) return last && withWait(last);
  return withWait(nearest.fault, Math.ceil(nearest.until - now));
}

function withWait({ code, message, cause }: Fault, retryAfterMs?: number): Fault {
  return new Fault(code, message, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
