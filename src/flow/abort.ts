/**
 * Why a timer is stopped that nobody waits for. The reason that `abort()` makes by itself carries a stack, which is dear
 * where one is stopped for every document or batch.
 */
export const notNeeded = "not needed any more";

/**
 * Settles with the promise, or rejects with the signal's reason as soon as it aborts. The promise goes on; its later
 * rejection is not reported as unhandled.
 */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return Promise.reject(signal.reason);
  }
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener("abort", abort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      },
    );
  });
}

/**
 * Iterates with the signal: a pending `next()` does not hold up an abort, and the iterator is always told to close
 * when the consumer leaves early (its closing is not waited for after an abort).
 */
export async function* abortable<T>(
  iterable: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = iterable[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const result = await raceAbort(iterator.next(), signal);
      if (result.done === true) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    // A generator that threw is closed by itself; one that hangs must not hang us.
    ended = !signal.aborted;
    throw error;
  } finally {
    if (!ended) {
      const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
      await raceAbort(closing, signal).catch(() => undefined);
    }
  }
}
