import { describe, expect, it } from "vitest";
import { readStart, readWhole } from "../../../src/flow/read-body.ts";

interface Source {
  readonly body: ReadableStream<Uint8Array>;
  pulled(): number;
}

/** A body of these parts; then it ends, or breaks off. */
function source(parts: readonly (string | Uint8Array)[], end: "ends" | "breaks" = "ends"): Source {
  let next = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const part = parts[next];
        next += 1;
        if (part !== undefined) controller.enqueue(Buffer.from(part));
        else if (end === "ends") controller.close();
        else controller.error(new Error("cut off"));
      },
    },
    { highWaterMark: 0 },
  );
  return { body, pulled: () => next };
}

describe("a whole body", () => {
  it("is its text, also where a character lies in two parts", async () => {
    const bytes = Buffer.from("naïve");
    const parts = [bytes.subarray(0, 3), bytes.subarray(3)];
    expect(await readWhole(source(parts).body, 6)).toBe("naïve");
    expect(await readWhole(null, 6)).toBe("");
  });

  it("is nothing when it has more bytes than allowed, and the rest is not read", async () => {
    const { body, pulled } = source(["abc", "def", "ghi", "jkl"]);
    expect(await readWhole(body, 5)).toBeUndefined();
    expect(pulled()).toBe(2);
    expect(body.locked).toBe(false);
  });

  it("rejects when it breaks off", async () => {
    await expect(readWhole(source(["abc"], "breaks").body, 5)).rejects.toThrow("cut off");
  });
});

describe("the start of a body", () => {
  it("has no more bytes than asked for, and the rest is not read", async () => {
    const { body, pulled } = source(["abc", "def", "ghi", "jkl"]);
    expect(await readStart(body, 5)).toBe("abcde");
    expect(pulled()).toBe(2);
  });

  it("is what had come before it broke off", async () => {
    expect(await readStart(source(["abc"], "breaks").body, 5)).toBe("abc");
    expect(await readStart(source(["abc"]).body, 5)).toBe("abc");
    expect(await readStart(null, 5)).toBe("");
  });
});
