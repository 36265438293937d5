import type { Clock } from "../contracts/index.ts";
import { notNeeded, raceAbort } from "./abort.ts";

/**
 * Groups what an iterable yields: a batch is given out when it holds `size` items, or when `waitMs` have passed since
 * its first item and the next one is not there yet. What came before a failure is given out before it is thrown.
 * Closes the iterator when the consumer leaves early.
 */
export async function* batches<T>(
  iterable: AsyncIterable<T>,
  options: { readonly size: number; readonly waitMs: number; readonly clock: Clock },
  signal: AbortSignal,
): AsyncGenerator<T[], void, undefined> {
  const iterator = iterable[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<T>> | undefined;
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  try {
    while (!ended) {
      const batch: T[] = [];
      const timer = new AbortController();
      let late: Promise<"late"> | undefined;
      while (batch.length < options.size) {
        pending ??= iterator.next();
        const next = raceAbort(pending, signal);
        const result = await (late === undefined ? next : Promise.race([next, late])).catch(
          (error: unknown) => {
            if (signal.aborted) throw error;
            failure = { error };
            return { done: true, value: undefined } as const;
          },
        );
        if (result === "late") break;
        pending = undefined;
        if (result.done === true) {
          ended = true;
          break;
        }
        batch.push(result.value);
        late ??= options.clock.sleep(options.waitMs, timer.signal).then(
          () => "late" as const,
          () => "late" as const,
        );
      }
      timer.abort(notNeeded);
      if (batch.length > 0) yield batch;
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    if (!ended) {
      const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
      if (pending === undefined) await raceAbort(closing, signal).catch(() => undefined);
      pending?.catch(() => undefined);
    }
  }
}
