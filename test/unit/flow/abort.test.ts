import { describe, expect, it } from "vitest";
import { abortable, raceAbort } from "../../../src/flow/abort.ts";

const never = (): Promise<never> => new Promise(() => undefined);
const signal = new AbortController().signal;
const reason = new Error("enough");

async function* three(): AsyncGenerator<number> {
  yield* [1, 2, 3];
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** Rejections that nobody took up while `work` ran. */
async function unhandledDuring(work: () => Promise<void>): Promise<unknown[]> {
  const found: unknown[] = [];
  const note = (error: unknown): void => void found.push(error);
  process.on("unhandledRejection", note);
  try {
    await work();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  } finally {
    process.off("unhandledRejection", note);
  }
  return found;
}

describe("raceAbort", () => {
  it("gives the value or the error of the promise when nobody aborts", async () => {
    await expect(raceAbort(Promise.resolve(5), signal)).resolves.toBe(5);
    await expect(raceAbort(Promise.reject(reason), signal)).rejects.toBe(reason);
  });

  it("rejects with the reason at once, though the promise hangs", async () => {
    const controller = new AbortController();
    const raced = raceAbort(never(), controller.signal);
    controller.abort(reason);
    await expect(raced).rejects.toBe(reason);
    await expect(raceAbort(never(), controller.signal)).rejects.toBe(reason);
  });

  it("leaves no rejection behind when the promise fails after the abort", async () => {
    const unhandled = await unhandledDuring(async () => {
      const late = Promise.withResolvers<never>();
      const controller = new AbortController();
      const raced = raceAbort(late.promise, controller.signal);
      controller.abort(reason);
      await expect(raced).rejects.toBe(reason);
      late.reject(new Error("late"));
      const other = Promise.reject(new Error("late too"));
      await expect(raceAbort(other, controller.signal)).rejects.toBe(reason);
    });
    expect(unhandled).toEqual([]);
  });

  it("leaves no listener on a signal that outlives many calls", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...parts: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(controller.signal, parts);
    };
    controller.signal.removeEventListener = (...parts: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(controller.signal, parts);
    };
    for (let call = 0; call < 100; call += 1) {
      await raceAbort(Promise.resolve(call), controller.signal);
      await raceAbort(Promise.reject(reason), controller.signal).catch(() => undefined);
    }
    expect(listeners).toBe(0);
  });
});

/** An iterable that notes whether it was closed. */
function numbers(options: { readonly hangsAt?: number; readonly closing?: Promise<void> } = {}) {
  const state = { closed: 0, pulled: 0 };
  const iterator: AsyncIterableIterator<number> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      const value = state.pulled;
      state.pulled += 1;
      if (value === options.hangsAt) await never();
      return { done: false, value };
    },
    async return() {
      state.closed += 1;
      await options.closing;
      return { done: true, value: undefined };
    },
  };
  return { iterator, state };
}

describe("abortable", () => {
  it("passes everything on, and closes nothing that ended by itself", async () => {
    expect(await all(abortable(three(), signal))).toEqual([1, 2, 3]);
  });

  it("closes the iterator once, and waits for it, when the consumer leaves early", async () => {
    const closing = Promise.withResolvers<void>();
    const { iterator, state } = numbers({ closing: closing.promise });
    let left = false;
    const leaving = (async () => {
      for await (const value of abortable(iterator, signal)) if (value === 2) break;
      left = true;
    })();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect([left, state.closed, state.pulled]).toEqual([false, 1, 3]);
    closing.resolve();
    await leaving;
    expect(state.closed).toBe(1);
  });

  it("rejects at once and tells the iterator to close when it hangs in `next`", async () => {
    const controller = new AbortController();
    const { iterator, state } = numbers({ hangsAt: 2 });
    const read = all(abortable(iterator, controller.signal));
    setImmediate(() => controller.abort(reason));
    await expect(read).rejects.toBe(reason);
    expect(state.closed).toBe(1);
  });

  it("is not held up after an abort by an iterator that hangs while it closes", async () => {
    const controller = new AbortController();
    const { iterator } = numbers({ closing: never() });
    const leaving = (async () => {
      for await (const value of abortable(iterator, controller.signal)) if (value === 2) break;
    })();
    setImmediate(() => controller.abort(reason));
    await leaving;
  });

  it("passes the iterator's own error on and does not close it again", async () => {
    let closed = 0;
    const failing: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(reason),
        async return() {
          closed += 1;
          return { done: true, value: undefined };
        },
      }),
    };
    await expect(all(abortable(failing, signal))).rejects.toBe(reason);
    expect(closed).toBe(0);
  });

  it("leaves no rejection behind when `next` or `return` fail after an abort", async () => {
    const unhandled = await unhandledDuring(async () => {
      const late = Promise.withResolvers<never>();
      const controller = new AbortController();
      const failing: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => late.promise,
          return: () => Promise.reject(new Error("cannot close")),
        }),
      };
      const read = all(abortable(failing, controller.signal));
      controller.abort(reason);
      await expect(read).rejects.toBe(reason);
      late.reject(new Error("late"));
    });
    expect(unhandled).toEqual([]);
  });
});
