import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedDeletions, guardDeletions, type GuardInput } from "../../../src/engine/guard.ts";

const calm: GuardInput = {
  indexed: 100,
  deletedInWindow: 0,
  wanted: 1,
  maxFraction: 0.1,
  untrusted: undefined,
  userAllows: undefined,
};

describe("the guard's allowance", () => {
  // max(⌈fraction·n⌉, min(10, ⌊n/2⌋))
  it.each([
    [0, 0.1, 0],
    [1, 0.1, 1],
    [2, 0.1, 1],
    [3, 0.1, 1],
    [4, 0.1, 2],
    [10, 0.1, 5],
    [19, 0.1, 9],
    [20, 0.1, 10],
    [21, 0.1, 10],
    [100, 0.1, 10],
    [101, 0.1, 11],
    [1000, 0.1, 100],
    [1001, 0.1, 101],
    [1000, 0, 10],
    [4, 0, 2],
    [1, 0, 0],
    [1000, 1, 1000],
    [30, 0.5, 15],
  ])("of %i documents at %f is %i", (documents, fraction, allowed) => {
    expect(allowedDeletions(documents, fraction)).toBe(allowed);
  });

  it("grows with the documents, never exceeds them, and never lets go more than asked for", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double({ min: 0, max: 1, noNaN: true }), (n, fraction) => {
        const allowed = allowedDeletions(n, fraction);
        expect(allowed).toBeLessThanOrEqual(n);
        expect(allowed).toBeLessThanOrEqual(allowedDeletions(n + 1, fraction));
        expect(allowed).toBeGreaterThanOrEqual(fraction * n);
      }),
    );
  });
});

describe("the guard", () => {
  const table: readonly (readonly [string, Partial<GuardInput>, string])[] = [
    ["nothing", { wanted: 0 }, "delete"],
    ["nothing of a removed source", { wanted: 0, untrusted: "removed" }, "delete"],
    ["as many as allowed", { wanted: 10 }, "delete"],
    ["one more than allowed", { wanted: 11 }, "withhold 10 fraction"],
    ["everything", { wanted: 100 }, "withhold 10 fraction"],
    ["the last of the window", { wanted: 4, indexed: 94, deletedInWindow: 6 }, "delete"],
    [
      "one beyond the window",
      { wanted: 5, indexed: 94, deletedInWindow: 6 },
      "withhold 4 fraction",
    ],
    ["one in a full window", { indexed: 90, deletedInWindow: 10 }, "withhold 0 fraction"],
    ["one in an overfull window", { indexed: 70, deletedInWindow: 30 }, "withhold 0 fraction"],
    ["one of a removed source", { untrusted: "removed" }, "withhold 0 removed"],
    ["one of a source that moved", { untrusted: "identity" }, "withhold 0 identity"],
    ["as many as the user allows", { wanted: 100, userAllows: 100 }, "delete"],
    ["any number", { wanted: 100, userAllows: Infinity }, "delete"],
    ["more than the user allows", { wanted: 100, userAllows: 99 }, "withhold 10 fraction"],
    ["few, though the user allows fewer", { wanted: 10, userAllows: 3 }, "delete"],
    ["a removed source by the user", { untrusted: "removed", userAllows: 1 }, "delete"],
    ["too much of a moved one", { untrusted: "identity", userAllows: 0 }, "withhold 0 identity"],
    ["the only document", { indexed: 1 }, "delete"],
    ["both of two", { indexed: 2, wanted: 2 }, "withhold 1 fraction"],
  ];

  it.each(table)("decides on %s", (_what, input, expected) => {
    const decision = guardDeletions({ ...calm, ...input });
    const said =
      decision.kind === "delete" ? "delete" : `withhold ${decision.allowed} ${decision.reason}`;
    expect(said).toBe(expected);
  });

  it("does not charge its window for what the user allowed", () => {
    expect(guardDeletions({ ...calm, wanted: 100, userAllows: 100 })).toMatchObject({
      by: "user",
    });
    expect(guardDeletions({ ...calm, wanted: 10, userAllows: 3 })).toMatchObject({ by: "guard" });
    expect(guardDeletions({ ...calm, wanted: 10 })).toMatchObject({ by: "guard" });
  });

  it("lets no more go in parts than at once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(60)), (documents, parts) => {
        let indexed = documents;
        let deletedInWindow = 0;
        for (const wanted of parts) {
          if (wanted > indexed) continue;
          const decision = guardDeletions({ ...calm, indexed, deletedInWindow, wanted });
          if (decision.kind === "withhold") continue;
          indexed -= wanted;
          deletedInWindow += wanted;
        }
        expect(deletedInWindow).toBeLessThanOrEqual(allowedDeletions(documents, 0.1));
      }),
    );
  });
});
