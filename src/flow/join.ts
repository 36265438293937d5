/**
 * Waits until all promises have settled, then gives their values or rejects with the first rejection. Unlike
 * `Promise.all`, nothing is still going on afterwards.
 */
export async function join<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
