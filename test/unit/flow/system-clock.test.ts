import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../../src/flow/system-clock.ts";

const signal = new AbortController().signal;

describe("the system's clock", () => {
  it("tells wall-clock milliseconds, and monotonic ones that only grow", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  it("sleeps no shorter than it was asked", async () => {
    const start = systemClock.monotonic();
    await systemClock.sleep(15, signal);
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(14);
  });

  it("rejects with the reason at once on abort, before or while it sleeps", async () => {
    const reason = new Error("enough");
    await expect(systemClock.sleep(1e6, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(1e6, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });

  it.each([2 ** 31, 2 ** 33, Infinity])(
    "does not wake at once from %d ms",
    async (milliseconds) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const controller = new AbortController();
      let awake = false;
      const sleeping = systemClock.sleep(milliseconds, controller.signal).then(
        () => (awake = true),
        () => undefined,
      );
      await vi.advanceTimersByTimeAsync(2 ** 31 - 1);
      expect(awake).toBe(false);
      if (Number.isFinite(milliseconds)) {
        await vi.advanceTimersByTimeAsync(milliseconds);
        expect(awake).toBe(true);
      }
      controller.abort();
      await sleeping;
    },
  );
});
