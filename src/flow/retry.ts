import type { Clock, FaultLike } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";

export interface RetryPolicy {
  /** Calls in all, the first included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** No further attempt begins after this long. */
  readonly totalMs: number;
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  /** From 0 to 1; `Math.random` outside tests. */
  readonly random: () => number;
  /** Whether a call whose outcome is unknown may be repeated at once. */
  readonly ambiguous: boolean;
  /** Ends waiting: the last fault is given instead of another attempt. */
  readonly giveUp?: AbortSignal;
  readonly onRetry?: (fault: FaultLike, delayMs: number, attempt: number) => void;
}

/**
 * Calls until it succeeds, the fault says `never` or `smaller`, or the policy is used up; then rejects with the last
 * fault. Waits between calls with full jitter, at least as long as the server asked.
 */
export async function retry<T>(
  call: (attempt: number) => Promise<T>,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<T> {
  const { policy, clock } = options;
  const started = clock.monotonic();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      if (signal.aborted || !isFault(error) || error.retry !== "later") throw error;
      if (error.ambiguous && !options.ambiguous) throw error;
      const jitter = options.random() * Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
      const delay = Math.max(error.retryAfterMs ?? 0, jitter);
      const over = clock.monotonic() - started + delay > policy.totalMs;
      if (attempt >= policy.attempts || over || options.giveUp?.aborted === true) throw error;
      options.onRetry?.(error, delay, attempt);
      await clock.sleep(delay, options.giveUp ?? signal).catch((reason: unknown) => {
        throw signal.aborted ? reason : error;
      });
    }
  }
}
