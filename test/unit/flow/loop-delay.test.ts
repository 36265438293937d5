import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { LoopDelay } from "../../../src/flow/loop-delay.ts";

/** Turns of the event loop until something was seen; the watch looks every ten milliseconds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(1);
}

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it("tells how long the main thread was blocked, and nothing of the looks themselves", async () => {
  const delay = new LoopDelay();
  expect(delay.read()).toEqual({ p50: 0, p99: 0, max: 0 });
  delay.start();
  const spread = (): number => delay.read().max;
  await until(() => spread() > 0);
  const before = spread();
  block(before + 150);
  await until(() => spread() > before);
  const { max, p50 } = delay.read();
  expect(max).toBeGreaterThan(before + 130);
  expect(p50).toBeLessThan(max);
  delay.stop();
  block(max + 200);
  await wait(1);
  expect(delay.read().max).toBe(max);
});

it("tells, now and then, that the main thread was hardly blocked at all", async () => {
  let shortest = Infinity;
  // A busy machine delays some looks; ten milliseconds are between all of them.
  while (!(shortest < 5)) {
    const delay = new LoopDelay();
    delay.start();
    await until(() => delay.read().max > 0);
    delay.stop();
    shortest = Math.min(shortest, delay.read().max);
  }
  expect(shortest).toBeGreaterThan(0);
});
