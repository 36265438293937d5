/**
 * Calls with a signal that aborts with the first of the given ones, or when the time is over. Rejects with the reason of
 * whichever came first, and leaves nothing behind at the signals, which live as long as a run.
 */
export async function withDeadline<Result>(
  call: (signal: AbortSignal) => Promise<Result>,
  options: { readonly timeoutMs: number; readonly timedOut: () => Error },
  signals: readonly AbortSignal[],
): Promise<Result> {
  for (const signal of signals) signal.throwIfAborted();
  const controller = new AbortController();
  const stops = signals.map((signal) => {
    const stop = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    return () => signal.removeEventListener("abort", stop);
  });
  const timer = setTimeout(() => controller.abort(options.timedOut()), options.timeoutMs);
  try {
    return await call(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    for (const stop of stops) stop();
  }
}
