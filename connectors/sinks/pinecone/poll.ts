import type { Clock } from "../../../src/contracts/index.ts";

const firstPauseMs = 10;
const longestPauseMs = 1_000;

/** Asks until the answer is yes, less and less often, or until the time is over; gives the last answer. */
export async function poll(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  const until = clock.monotonic() + limitMs;
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    if (await ask()) return true;
    const left = until - clock.monotonic();
    if (left <= 0) return false;
    await clock.sleep(Math.min(pause, left), signal);
  }
}
