import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "../../../src/flow/retry-after.ts";

describe("a Retry-After header", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");

  it.each([
    ["7", 7_000],
    [" 0.5 ", 500],
    ["0", 0],
    ["99999999", 3_600_000],
    ["Sat, 31 Jan 2026 12:00:30 GMT", 30_000],
    ["Sat, 31 Jan 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["2027", 2_027_000],
    ["-3", undefined],
    ["", undefined],
    [null, undefined],
    [undefined, undefined],
  ])("of %j says %j", (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});
