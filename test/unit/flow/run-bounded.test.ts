import { expect, test } from "vitest";
import { runBounded } from "../../../src/flow/run-bounded.ts";
import { isFault } from "../../../src/faults/index.ts";

function faultOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return isFault(error) ? error.code : error;
  }
  return "no fault";
}

function loop(): void {
  for (;;);
}

function catchingLoop(): void {
  for (;;) {
    try {
      loop();
    } catch {
      continue;
    }
  }
}

test("work that ends in time gives its value, whatever it is", () => {
  expect(runBounded(() => 42, 1000)).toBe(42);
  expect(runBounded(() => undefined, 1000)).toBeUndefined();
  const kept = { a: 1 };
  expect(runBounded(() => kept, 1000)).toBe(kept);
});

test("an endless loop is interrupted with parse.timeout", () => {
  const before = performance.now();
  expect(faultOf(() => runBounded(loop, 50))).toBe("parse.timeout");
  expect(performance.now() - before).toBeLessThan(5000);
});

test("an endless loop that catches everything is interrupted all the same", () => {
  expect(faultOf(() => runBounded(catchingLoop, 50))).toBe("parse.timeout");
});

test("a regular expression that backtracks for ever is interrupted", () => {
  const hostile = `${"a".repeat(60)}!`;
  expect(faultOf(() => runBounded(() => /^(a+)+$/.test(hostile), 50))).toBe("parse.timeout");
});

test("what the work throws reaches the caller unchanged, also a stack overflow", () => {
  const thrown = new TypeError("mine");
  expect(
    faultOf(() =>
      runBounded(() => {
        throw thrown;
      }, 1000),
    ),
  ).toBe(thrown);
  const recurse = (depth: number): number => recurse(depth + 1) + 1;
  expect(faultOf(() => runBounded(() => recurse(0), 1000))).toBeInstanceOf(RangeError);
});

test("calls nest, and after an interruption the next call works", () => {
  expect(runBounded(() => runBounded(() => 1, 500) + runBounded(() => 2, 500), 1000)).toBe(3);
  expect(
    runBounded(() => [faultOf(() => runBounded(loop, 20)), runBounded(() => "after", 500)], 5000),
  ).toEqual(["parse.timeout", "after"]);
});

test("the global slot is empty after every call", () => {
  runBounded(() => 1, 100);
  expect((globalThis as Record<symbol, unknown>)[Symbol.for("sluice.run-bounded")]).toBeUndefined();
});
