import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault, type FaultOptions } from "../../../src/faults/index.ts";
import { retry, type RetryOptions } from "../../../src/flow/retry.ts";
import { VirtualClock } from "../engine/rig/virtual-clock.ts";

const policy = { attempts: 6, baseMs: 100, maxMs: 1000, totalMs: 60_000 };
const signal = new AbortController().signal;

function down(options: FaultOptions = {}): Fault {
  return new Fault("embed.unreachable", "Down.", options);
}

function optionsOf(clock: VirtualClock, more: Partial<RetryOptions> = {}): RetryOptions {
  return { policy, clock, random: () => 1, ambiguous: true, ...more };
}

/** Fails so many times, then answers with the number of the call. */
function failing(times: number, fault = down()): (attempt: number) => Promise<number> {
  return async (attempt) => {
    if (attempt <= times) throw fault;
    return attempt;
  };
}

describe("retry", () => {
  it("calls until it succeeds, waiting twice as long each time up to the most", async () => {
    const clock = new VirtualClock();
    expect(await retry(failing(5), optionsOf(clock), signal)).toBe(6);
    expect(clock.waits).toEqual([100, 200, 400, 800, 1000]);
  });

  it("gives up after its attempts, with the last fault", async () => {
    const clock = new VirtualClock();
    const faults = Array.from({ length: 6 }, (_, index) => new Fault("sink.timeout", `${index}`));
    let calls = 0;
    const call = async (): Promise<never> => {
      calls += 1;
      throw faults[calls - 1] ?? new Error("one call too many");
    };
    await expect(retry(call, optionsOf(clock), signal)).rejects.toBe(faults[5]);
    expect(calls).toBe(6);
  });

  it("begins no attempt after its time, waits included", async () => {
    const clock = new VirtualClock();
    const short = { ...policy, attempts: 100, totalMs: 2000 };
    let calls = 0;
    const call = async (): Promise<never> => {
      calls += 1;
      await clock.sleep(300, signal);
      throw down();
    };
    await expect(retry(call, optionsOf(clock, { policy: short }), signal)).rejects.toThrow("Down.");
    expect(calls).toBeGreaterThan(2);
    expect(clock.monotonic()).toBeLessThanOrEqual(2000 + 300);
  });

  it("waits anywhere between nothing and the whole delay (full jitter)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 5, maxLength: 5 }),
        async (randoms) => {
          const clock = new VirtualClock();
          let index = 0;
          const random = (): number => randoms[index++] ?? 0;
          await retry(failing(5), optionsOf(clock, { random }), signal);
          const most = [100, 200, 400, 800, 1000];
          expect(clock.waits).toEqual(most.map((delay, at) => delay * (randoms[at] ?? 0)));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("waits at least as long as the server asked, also beyond its own most", async () => {
    const clock = new VirtualClock();
    const busy = new Fault("embed.rate-limited", "Slow down.", { retryAfterMs: 5000 });
    await retry(failing(2, busy), optionsOf(clock), signal);
    expect(clock.waits).toEqual([5000, 5000]);
    const soon = new Fault("embed.rate-limited", "Slow down.", { retryAfterMs: 1 });
    const other = new VirtualClock();
    await retry(failing(2, soon), optionsOf(other), signal);
    expect(other.waits).toEqual([100, 200]);
  });

  it("does not wait for a server that asks for more than the time left", async () => {
    const clock = new VirtualClock();
    const busy = new Fault("embed.rate-limited", "Slow down.", { retryAfterMs: 3_600_000 });
    await expect(retry(failing(1, busy), optionsOf(clock), signal)).rejects.toBe(busy);
    expect(clock.waits).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["a fault that will come again", down({ retry: "never" })],
    ["a fault that smaller calls may cure", down({ retry: "smaller" })],
    ["a bug", new TypeError("A bug.")],
  ])("calls once for %s", async (_what, error) => {
    const clock = new VirtualClock();
    let calls = 0;
    const call = async (): Promise<never> => {
      calls += 1;
      throw error;
    };
    await expect(retry(call, optionsOf(clock), signal)).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  it("repeats a call of unknown outcome only where that is allowed", async () => {
    const clock = new VirtualClock();
    const unknown = down({ ambiguous: true });
    expect(await retry(failing(1, unknown), optionsOf(clock), signal)).toBe(2);
    const careful = optionsOf(clock, { ambiguous: false });
    await expect(retry(failing(1, unknown), careful, signal)).rejects.toBe(unknown);
    expect(await retry(failing(1), careful, signal)).toBe(2);
  });

  it("ends its waiting on abort with the reason, and calls no more", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const controller = new AbortController();
    let calls = 0;
    const call = async (): Promise<never> => {
      calls += 1;
      throw down();
    };
    const retrying = retry(call, optionsOf(clock), controller.signal);
    await clock.pass(0);
    controller.abort(new Error("enough"));
    await expect(retrying).rejects.toThrow("enough");
    expect(calls).toBe(1);
  });

  it("ends its waiting with the fault when it is told to give up", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const giveUp = new AbortController();
    const fault = down();
    const options = optionsOf(clock, { giveUp: giveUp.signal });
    const retrying = retry(failing(3, fault), options, signal);
    await clock.pass(0);
    giveUp.abort();
    await expect(retrying).rejects.toBe(fault);
    await expect(retry(failing(3, fault), options, signal)).rejects.toBe(fault);
    expect(await retry(failing(0), options, signal)).toBe(1);
  });

  it("tells of every wait before it begins", async () => {
    const clock = new VirtualClock();
    const told: [number, number][] = [];
    const onRetry = (_fault: unknown, delayMs: number, attempt: number): void => {
      told.push([attempt, delayMs]);
    };
    await retry(failing(2), optionsOf(clock, { onRetry }), signal);
    expect(told).toEqual([
      [1, 100],
      [2, 200],
    ]);
  });
});
