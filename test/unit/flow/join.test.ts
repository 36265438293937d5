import { describe, expect, it } from "vitest";
import { join } from "../../../src/flow/join.ts";

describe("join", () => {
  it("gives all values in the order of the promises", async () => {
    const late = Promise.withResolvers<number>();
    const joined = join([late.promise, Promise.resolve(2)]);
    late.resolve(1);
    expect(await joined).toEqual([1, 2]);
    expect(await join([])).toEqual([]);
  });

  it("rejects with the first rejection by place, only after all have settled", async () => {
    const late = Promise.withResolvers<void>();
    let settled = false;
    const joined = join([
      late.promise.then(() => {
        settled = true;
        throw new Error("first by place");
      }),
      Promise.reject(new Error("first in time")),
    ]).catch((error: unknown) => {
      expect(settled).toBe(true);
      return String(error);
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    late.resolve();
    expect(await joined).toBe("Error: first by place");
  });
});
