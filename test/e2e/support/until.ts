import { setTimeout as wait } from "node:timers/promises";

/** Looks again and again, a millisecond apart, until the condition holds or the time is up; tells whether it holds. */
export async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    await wait(1);
  }
  return true;
}
