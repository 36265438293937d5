import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { withPatience } from "../../../../src/cache/redis/patience.ts";

const timedOut = (): Error => new Error("too late");

function blockFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("what settles in time is given, be it a value or an error", async () => {
  expect(await withPatience(turn("a"), 1_000, timedOut)).toBe("a");
  const failing = turn().then(() => Promise.reject(new Error("no")));
  await expect(withPatience(failing, 1_000, timedOut)).rejects.toThrow("no");
});

test("what never settles is given up after the time, and not much later", async () => {
  const started = performance.now();
  await expect(withPatience(new Promise(() => {}), 80, timedOut)).rejects.toThrow("too late");
  const taken = performance.now() - started;
  expect(taken).toBeGreaterThan(60);
  expect(taken).toBeLessThan(2_000);
});

test("an answer that waits behind this thread's own work is heard", async () => {
  const answer = Promise.withResolvers<string>();
  const waiting = withPatience(answer.promise, 80, timedOut);
  // It comes with the first turn after the work, as what arrived at a socket meanwhile does.
  setTimeout(() => setImmediate(answer.resolve, "heard"), 0);
  await turn();
  blockFor(300);
  expect(await waiting).toBe("heard");
});
