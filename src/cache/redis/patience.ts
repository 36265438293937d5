/** Into how many parts a time is cut. */
const parts = 8;

/**
 * Settles with the promise, or rejects when it has taken too long. Time in which this thread could not have heard the
 * answer, because it was busy itself, counts as one part of the time at most: an interval that is late is not made up
 * for, and between two of its ticks comes what has arrived. The promise goes on; its later rejection is not reported.
 */
export function withPatience<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
  timedOut: () => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let left = parts;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      reject(timedOut());
    }, timeoutMs / parts);
    promise.then(resolve, reject).finally(() => clearInterval(timer));
  });
}
