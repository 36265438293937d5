import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { withDeadline } from "../../../src/flow/deadline.ts";

const late = new Error("too late");
const options = { timeoutMs: 60_000, timedOut: () => late };
const soon = { ...options, timeoutMs: 1 };

/** Hangs until its signal aborts, and then fails for a reason of its own. */
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("cut off")), { once: true });
  });
}

describe("a call with a deadline", () => {
  it("gives what the call gives", async () => {
    const { signal } = new AbortController();
    expect(await withDeadline(async () => 7, options, [signal])).toBe(7);
  });

  it("rejects with what the call rejects with, while there is time", async () => {
    const reason = new Error("mine");
    const call = withDeadline(() => Promise.reject(reason), options, []);
    await expect(call).rejects.toBe(reason);
  });

  it("rejects with the time's reason once it is over, whatever the call says then", async () => {
    await expect(withDeadline(hang, soon, [])).rejects.toBe(late);
  });

  it("rejects with the reason of whichever signal aborts first", async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const call = withDeadline(hang, options, [one.signal, other.signal]);
    other.abort("stop");
    one.abort("too late");
    await expect(call).rejects.toBe("stop");
  });

  it("does not begin when a signal has aborted before", async () => {
    let begun = false;
    const call = withDeadline(
      async () => {
        begun = true;
      },
      options,
      [AbortSignal.abort("over")],
    );
    await expect(call).rejects.toBe("over");
    expect(begun).toBe(false);
  });

  it("leaves no listener at a signal, however the call ends", async () => {
    const { signal } = new AbortController();
    await withDeadline(async () => undefined, options, [signal]);
    await withDeadline(() => Promise.reject(late), options, [signal]).catch(() => undefined);
    await withDeadline(hang, soon, [signal]).catch(() => undefined);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
