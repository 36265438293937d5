import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallWindow } from "../../../../connectors/embedders/openai/call-window.ts";

interface Simulation {
  /** Calls that the server takes at once; it refuses all others at once. */
  readonly capacity: number;
  /** Another capacity from the middle on. */
  readonly later?: number;
  readonly rounds: number;
  readonly random: () => number;
}

interface Report {
  /** Calls that brought something, as a share of what the server could have done. */
  readonly goodput: number;
  readonly refusals: number;
  readonly sizes: readonly number[];
}

const serviceMs = 100;

/** Plays callers with more work than there is room for: a refused call sleeps a while, another takes its place. */
function simulate(
  window: CallWindow,
  { capacity, later = capacity, rounds, random }: Simulation,
): Report {
  const events: { at: number; act: () => void }[] = [];
  const schedule = (at: number, act: () => void): void => {
    const index = events.findIndex((event) => event.at > at);
    events.splice(index === -1 ? events.length : index, 0, { at, act });
  };
  const sizes: number[] = [];
  let [now, serving, brought, refusals] = [0, 0, 0, 0];
  const fill = (): void => {
    while (window.hasRoom) call();
  };
  const call = (): void => {
    const end = window.begin();
    const taken = serving < (now * 2 < rounds * serviceMs ? capacity : later);
    if (taken) serving += 1;
    schedule(now + (taken ? serviceMs * (0.8 + 0.4 * random()) : 1), () => {
      if (taken) [serving, brought] = [serving - 1, brought + 1];
      else refusals += 1;
      end(taken ? "brought" : "overloaded");
      sizes.push(window.size);
      fill();
    });
  };
  fill();
  while (now < rounds * serviceMs) {
    const next = events.shift();
    if (next === undefined) break;
    now = next.at;
    next.act();
  }
  return { goodput: brought / ((capacity * now) / serviceMs), refusals: refusals / brought, sizes };
}

function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("a window of calls", () => {
  it("settles around a server's capacity, uses it, and rarely overruns it", () => {
    const cases = fc.record({
      capacity: fc.integer({ min: 1, max: 60 }),
      spare: fc.integer({ min: 0, max: 60 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ capacity, spare, seed }) => {
        const window = new CallWindow(capacity + spare);
        const { goodput, refusals, sizes } = simulate(window, {
          capacity,
          rounds: 300,
          random: generator(seed),
        });
        expect(goodput).toBeGreaterThan(0.9);
        expect(refusals).toBeLessThan(0.1);
        const later = sizes.slice(sizes.length >> 2);
        expect(Math.max(...later)).toBeLessThanOrEqual(capacity + 1);
        expect(Math.min(...later)).toBeGreaterThanOrEqual(Math.floor(capacity / 2));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [4, 40],
    [40, 4],
  ])("finds the capacity again when it changes from %i to %i", (capacity, later) => {
    const window = new CallWindow(64);
    const { sizes } = simulate(window, { capacity, later, rounds: 400, random: generator(7) });
    const last = sizes.slice(-200);
    expect(Math.max(...last)).toBeLessThanOrEqual(later + 1);
    expect(Math.min(...last)).toBeGreaterThanOrEqual(later / 2);
  });

  it("never exceeds what is configured, nor what the server allows", () => {
    const window = new CallWindow(12);
    simulate(window, { capacity: 1_000, rounds: 20, random: generator(1) });
    expect(window.size).toBe(12);
    window.lower(5);
    expect(window.size).toBe(5);
    window.lower(0);
    expect(window.size).toBe(1);
  });

  it("halves once for all calls that were under way together", () => {
    const window = new CallWindow(8);
    const ends = Array.from({ length: 8 }, () => window.begin());
    for (const end of ends) end("overloaded");
    expect(window.size).toBe(4);
    window.begin()("overloaded");
    expect(window.size).toBe(2);
  });

  it("does not grow while it is not used", () => {
    const window = new CallWindow(64);
    for (let call = 0; call < 100; call += 1) window.begin()("brought");
    expect(window.size).toBe(8);
  });

  it("learns nothing from calls that failed for another reason", () => {
    const window = new CallWindow(8);
    for (let call = 0; call < 100; call += 1) window.begin()("other");
    expect([window.size, window.inFlight]).toEqual([8, 0]);
  });
});
