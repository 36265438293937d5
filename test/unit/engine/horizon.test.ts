import { describe, expect, it } from "vitest";
import type { StateSession } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";

const horizon = 60_000;

/** One document, and a sink whose writes may land up to a minute late. */
function waiting(options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
  const rig = new Rig(options);
  for (const sink of rig.sinks.values()) sink.limits = { writeHorizonMs: horizon };
  rig.source.put("a", "one\ntwo");
  return rig;
}

/** When each write began, on the monotonic clock. */
function timesOf(rig: Rig, sink = rig.sink): number[] {
  const times: number[] = [];
  sink.beforeWrite = async () => {
    times.push(rig.clock.monotonic());
  };
  return times;
}

const timeout = new Fault("sink.timeout", "No answer.", { ambiguous: true });
const unreachable = new Fault("sink.unreachable", "Refused.");

describe("a document whose last write may still land", () => {
  it("is not written again before the horizon, in the same run", async () => {
    const rig = waiting();
    const times: number[] = [];
    rig.sink.beforeWrite = async () => {
      times.push(rig.clock.monotonic());
      if (times.length === 1) throw timeout;
    };
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, failed: 0 });
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(horizon);
    expect(rig.events.filter(({ kind }) => kind === "waiting")).toHaveLength(1);
  });

  it("is not written again before the horizon has passed since a new process began", async () => {
    const rig = waiting();
    const state = memoryStateStore();
    rig.state = state;
    rig.sink.beforeWrite = async () => state.crash();
    await rig.run();
    await rig.clock.sleep(horizon / 2, new AbortController().signal);
    const times = timesOf(rig);
    const start = rig.clock.monotonic();
    expect((await rig.run()).exitCode).toBe(0);
    expect(times.length).toBeGreaterThan(0);
    expect(Math.min(...times) - start).toBeGreaterThanOrEqual(horizon);
    expect(await rig.difference()).toEqual([]);
  });

  it("is not forgotten before the horizon either", async () => {
    const rig = waiting();
    rig.source.put("b", "three");
    await rig.run();
    rig.source.put("a", "edited");
    rig.sink.beforeWrite = async () => {
      throw timeout;
    };
    rig.set({ retry: { attempts: 1 } });
    await rig.run();
    rig.source.remove("a");
    const times = timesOf(rig);
    const start = rig.clock.monotonic();
    expect((await rig.run()).exitCode).toBe(0);
    expect(Math.min(...times) - start).toBeGreaterThanOrEqual(horizon);
    expect(rig.sink.texts()).toEqual(["three"]);
    expect(await rig.row("a")).toBeUndefined();
  });

  it("does not hold up other documents", async () => {
    const rig = waiting();
    const times: number[] = [];
    rig.sink.limits = { writeHorizonMs: horizon, operationsPerWrite: 1, concurrentWrites: 1 };
    for (let number = 0; number < 10; number += 1) rig.source.put(`d${number}`, `t${number}`);
    rig.sink.beforeWrite = async () => {
      times.push(rig.clock.monotonic());
      if (times.length === 1) throw timeout;
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(times.filter((time) => time < horizon).length).toBeGreaterThanOrEqual(11);
  });
});

describe("a document whose last write certainly did not land", () => {
  it("is written again at once by the next attempt", async () => {
    const rig = waiting();
    rig.source.put("b", "three");
    let writes = 0;
    rig.sink.beforeWrite = async () => {
      writes += 1;
      if (writes === 1) throw unreachable;
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.clock.monotonic()).toBeLessThan(horizon);
  });
});

describe("a sink that keeps not answering", () => {
  it("is given up after some writes in a row of unknown outcome, and the run ends", async () => {
    const rig = waiting();
    for (let number = 0; number < 50; number += 1) rig.source.put(`d${number}`, `t${number}`);
    rig.sink.limits = { writeHorizonMs: horizon, operationsPerWrite: 1, concurrentWrites: 1 };
    let writes = 0;
    rig.sink.beforeWrite = async () => {
      writes += 1;
      throw timeout;
    };
    const { exitCode, summary } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "sink.timeout"]);
    expect(writes).toBe(3);
    rig.sink.beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

/** A state whose commit of a deletion waits until the document was looked up once more. */
function slowMarks(rig: Rig, id: string): Promise<void> {
  const marking = Promise.withResolvers<void>();
  const store = rig.state;
  const open = async (...parts: unknown[]): Promise<StateSession> => {
    const session: StateSession = await Reflect.apply(store.open, store, parts);
    let onLookup: (() => void) | undefined;
    const slow: Partial<StateSession> = {
      lookup: async (keys) => {
        const rows = await session.lookup(keys);
        if (keys.some((key) => key.id === id)) onLookup?.();
        return rows;
      },
      commit: async (mutations, options) => {
        const isMark = mutations.some((mutation) => {
          return mutation.kind === "document" && mutation.set.gone === true;
        });
        if (isMark) {
          const again = new Promise<void>((resolve) => (onLookup = resolve));
          marking.resolve();
          await again;
        }
        await session.commit(mutations, options);
      },
    };
    return new Proxy(session, {
      get: (target, name) => {
        const own: unknown = Reflect.get(slow, name);
        if (own !== undefined) return own;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  rig.state = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === "open" ? open : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return marking.promise;
}

describe("a document that comes back while the mark of its deletion is being written", () => {
  it("is still owed what was begun, and brought to the sink (history 732,347)", async () => {
    const rig = waiting();
    rig.sink.beforeWrite = () => Promise.reject(timeout);
    await rig.run();
    rig.sink.beforeWrite = async () => {};
    const marking = slowMarks(rig, "a");
    rig.source.put("a", "one\ntwo\nthree");
    rig.source.say = async function* (events) {
      yield* events.slice(0, -1);
      yield { kind: "deletion", documentId: "a" };
      await marking;
      yield* events.slice(1);
    };
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, failed: 0 });
    expect(rig.sink.texts("docs:a")).toEqual(["one", "three", "two"]);
    expect(await rig.difference()).toEqual([]);
  });
});
