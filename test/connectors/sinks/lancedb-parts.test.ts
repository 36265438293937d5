import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toFault } from "../../../connectors/sinks/lancedb/faults.ts";
import { fromFloat16, toFloat16 } from "../../../connectors/sinks/lancedb/float16.ts";
import { Fault } from "../../../src/faults/index.ts";

describe("float16", () => {
  it("gives every one of its 65,536 values back", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromFloat16(bits);
      if (Number.isNaN(value)) expect(fromFloat16(toFloat16(value))).toBeNaN();
      else expect(toFloat16(value)).toBe(bits);
    }
  });

  it("rounds every number to one of its two neighbours, the nearer, ties to even", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7bfe }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bits, share) => {
          const [low, high] = [fromFloat16(bits), fromFloat16(bits + 1)];
          const value = Math.fround(low + (high - low) * share);
          const expected =
            value - low === high - value
              ? bits + (bits & 1)
              : value - low < high - value
                ? bits
                : bits + 1;
          expect(toFloat16(value)).toBe(expected);
          expect(toFloat16(-value)).toBe(expected | 0x8000);
        },
      ),
    );
  });
});

describe("an error of the driver", () => {
  const call = { verb: "written", address: "`t` in /tmp", folder: "/tmp" } as const;

  // As the driver 0.39 said them.
  it.each([
    [
      "lance error: LanceError(IO): No space left on device (os error 28), /usr/local/x.rs:255:9",
      "sink.full",
      "never",
    ],
    [
      "LanceError(IO): Generic LocalFileSystem error: Unable to copy data to file: File too large (os error 27)",
      "sink.full",
      "never",
    ],
    [
      "lance error: Retryable commit conflict for version 107: This Rewrite transaction was preempted by concurrent transaction Rewrite at version 107. Please retry.",
      "sink.conflict",
      "later",
    ],
    ["lance error: Too many concurrent writers. Attempted 20 times", "sink.conflict", "later"],
    ["Unable to open: Permission denied (os error 13)", "sink.unauthorized", "never"],
    ["Too many open files (os error 24)", "sink.not-ready", "later"],
    [
      "lance error: LanceError(IO): file size is too small, /usr/x.rs:58:20",
      "sink.corrupt",
      "never",
    ],
    [
      "lance error: Append with different schema: `vector` should have type fixed_size_list:float:4",
      "sink.rejected",
      "smaller",
    ],
    ["something never seen", "sink.rejected", "smaller"],
  ])("saying %j is %s, to be tried %s", (message, code, retry) => {
    const fault = toFault(new Error(message), call);
    expect(fault).toMatchObject({ code, retry, ambiguous: code !== "sink.rejected" });
    expect((fault as Fault).message).not.toMatch(/\.rs:/);
    expect((fault as Fault).cause).toBeInstanceOf(Error);
  });

  it("means that the collection is gone when its folder is", () => {
    const gone = { ...call, folder: "/nowhere/at/all" };
    expect(toFault(new Error("Not found: x/_versions"), gone)).toMatchObject({
      code: "sink.missing",
    });
  });

  it("passes aborts, faults and failed assertions as they are", () => {
    const abort = new DOMException("stop", "AbortError");
    const fault = new Fault("sink.full", "x");
    const reason = "any reason of an abort";
    for (const error of [abort, fault, reason]) expect(toFault(error, call)).toBe(error);
  });
});
