/**
 * Calls with a signal that aborts with the given one, or when the time is over. Rejects with the reason of whichever
 * came first, and leaves nothing behind at the signal, which lives as long as a run.
 */
export async function withDeadline<Result>(
  call: (signal: AbortSignal) => Promise<Result>,
  options: { readonly timeoutMs: number; readonly timedOut: () => Error },
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => controller.abort(options.timedOut()), options.timeoutMs);
  try {
    return await call(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
