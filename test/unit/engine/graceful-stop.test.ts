import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../../src/engine/events.ts";
import type { RunResult } from "../../../src/engine/run.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

const never = (): Promise<never> => new Promise(() => undefined);

/** Resolves once `hook` was called; the hook then hangs, whatever its signal says. */
function hanging(): { readonly hook: () => Promise<never>; readonly reached: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hook = (): Promise<never> => {
    resolve();
    return never();
  };
  return { hook, reached: promise };
}

function filled(options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
  const rig = new Rig(options);
  for (let number = 0; number < 30; number += 1) rig.source.put(`d${number}`, `text ${number}`);
  return rig;
}

describe("the first request to stop", () => {
  it("drains what is in flight, pulls nothing new, and ends with 130", async () => {
    const rig = filled();
    rig.set({ limits: { documents: 3 } });
    const stop = new AbortController();
    rig.sink.beforeWrite = async () => {
      stop.abort();
      await rig.clock.sleep(50, new AbortController().signal);
    };
    const { summary, exitCode } = await rig.run({ stop: stop.signal });
    expect(exitCode).toBe(130);
    expect(summary.status).toBe("interrupted");
    const opened = new Set(rig.source.opens);
    expect(opened.size).toBeGreaterThan(0);
    expect(opened.size).toBeLessThanOrEqual(6);
    // All that was begun is settled.
    expect(rig.sink.records).toHaveLength(opened.size);
    expect(summary.documents).toMatchObject({ added: opened.size, failed: 0 });
    for (const id of opened) {
      const row = await rig.row(id);
      expect([...(row?.targets.values() ?? [])]).toMatchObject([{ status: "settled" }]);
    }
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("saves the cursor of what is settled, and no further", async () => {
    const rig = filled({ cursors: true });
    rig.set({ limits: { documents: 1 } });
    const stop = new AbortController();
    rig.source.say = async function* (events) {
      for (const event of events) {
        yield event;
        if (event.kind !== "document") continue;
        const position = rig.source.log.indexOf(event.document.id) + 1;
        yield { kind: "checkpoint", cursor: { position } };
        await rig.clock.sleep(30, new AbortController().signal);
        if (position === 10) stop.abort();
      }
    };
    await rig.run({ stop: stop.signal });
    const [row] = await rig.reading((session) => session.sources());
    const position = Number(row?.cursor?.["position"]);
    expect(position).toBeGreaterThanOrEqual(5);
    const settled = new Set(rig.sink.records.map(({ document }) => document));
    for (const id of rig.source.log.slice(0, position)) expect(settled).toContain(`docs:${id}`);
    expect(rig.source.acknowledged.at(-1)).toEqual({ position });
    rig.source.say = (events) => events;
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.source.resumed).toEqual([false, true]);
    expect(await rig.difference()).toEqual([]);
  });

  it("sweeps nothing, for the listing did not end", async () => {
    const rig = filled();
    await rig.run();
    rig.source.remove("d0");
    rig.source.put("d1", "edited");
    const stop = new AbortController();
    rig.sink.beforeWrite = async () => stop.abort();
    await rig.run({ stop: stop.signal });
    expect(rig.sink.texts("docs:d0")).toEqual(["text 0"]);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("does not wait for a source that hangs", async () => {
    const rig = filled();
    const stop = new AbortController();
    rig.source.say = async function* (events) {
      yield* events.slice(0, 5);
      await never();
    };
    let settled = 0;
    const observe = ({ kind }: RunEvent): void => {
      if (kind === "document-settled") settled += 1;
      if (settled === 4) stop.abort();
    };
    expect((await rig.run({ stop: stop.signal, observe })).exitCode).toBe(130);
    expect(rig.sink.records).toHaveLength(4);
  });

  it("before the run begins makes it end without touching anything", async () => {
    const rig = filled();
    const { exitCode, summary } = await rig.run({ stop: AbortSignal.abort() });
    expect(exitCode).toBe(130);
    expect(summary.documents.listed).toBe(0);
    expect(rig.source.opens).toEqual([]);
  });

  it("ends waiting for a horizon", async () => {
    const rig = filled();
    rig.sink.limits = { writeHorizonMs: 1e9 };
    rig.sink.beforeWrite = async () => {
      throw new Fault("sink.timeout", "Too slow.", { ambiguous: true });
    };
    const stop = new AbortController();
    let waits = 0;
    const observe = ({ kind }: RunEvent): void => {
      if (kind !== "waiting") return;
      waits += 1;
      // After the engine began to wait, and before time goes on.
      process.nextTick(() => stop.abort());
    };
    const { exitCode } = await rig.run({ stop: stop.signal, observe });
    expect(exitCode).toBe(130);
    expect(waits).toBe(1);
    expect(rig.clock.monotonic()).toBeLessThan(1e9);
  });
});

type Hang = (rig: Rig, hook: () => Promise<never>) => void;

const hangs: readonly (readonly [string, Hang])[] = [
  [
    "a source that hangs in its listing",
    (rig, hook) =>
      (rig.source.say = async function* (events) {
        yield* events.slice(0, 5);
        await hook();
      }),
  ],
  ["a source that hangs while a document is read", (rig, hook) => (rig.source.beforeOpen = hook)],
  ["an embedder that hangs", (rig, hook) => (rig.embedder.before = hook)],
  ["an embedder that hangs when it is opened", (rig, hook) => (rig.embedder.open = hook)],
  ["a sink that hangs in a write", (rig, hook) => (rig.sink.beforeWrite = hook)],
  ...["describe", "create", "setMarker"].map((call): [string, Hang] => [
    `a sink that hangs in \`${call}\``,
    (rig, hook) =>
      (rig.sink.before = async (called) => {
        if (called === call) await hook();
      }),
  ]),
  [
    "a source that hangs in a lookup",
    (rig, hook) => {
      rig.source.beforeOpen = async () => {
        throw new Fault("source.changed", "It changed.");
      };
      rig.source.lookup = async function* () {
        yield* [];
        await hook();
      };
    },
  ],
  [
    "a source that hangs in an acknowledgement",
    (rig, hook) => {
      rig.source.acknowledge = hook;
    },
  ],
  [
    "a parser that hangs",
    (rig, hook) => {
      const settings = rig.sources.get("docs");
      if (settings === undefined) return;
      settings.parser = {
        mediaTypes: ["text/plain"],
        async *parse() {
          yield* [];
          await hook();
        },
        async close() {},
      };
      rig.set({ limits: { parseTimeoutMs: 1e12 } });
    },
  ],
];

describe("the second request to stop", () => {
  it.each(hangs)("ends a run at once with %s and ignores its signal", async (_what, hang) => {
    const rig = filled({ cursors: true });
    const { hook, reached } = hanging();
    hang(rig, hook);
    // Time that jumps would only hide what hangs.
    const stop = new AbortController();
    const abort = new AbortController();
    const running = rig.run({ stop: stop.signal, signal: abort.signal });
    await reached;
    stop.abort();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    abort.abort();
    const { exitCode, summary } = await running;
    expect(exitCode).toBe(130);
    expect(summary.status).toBe("interrupted");
  });

  it("leaves a state from which the next run ends exact", async () => {
    const rig = filled({ sinks: ["one", "two"] });
    const abort = new AbortController();
    let writes = 0;
    rig.sinkOf("two").limits = { operationsPerWrite: 2 };
    rig.sinkOf("two").beforeWrite = async () => {
      writes += 1;
      if (writes === 3) abort.abort();
    };
    expect((await rig.run({ signal: abort.signal })).exitCode).toBe(130);
    rig.sinkOf("two").beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("before the run begins is told in the summary", async () => {
    const rig = filled();
    const result: RunResult = await rig.run({ signal: AbortSignal.abort() });
    expect(result.exitCode).toBe(130);
    expect(result.summary.status).toBe("interrupted");
  });
});

describe("following", () => {
  it("takes up changes and deletions as they come, until stopped, and ends with 0", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.put("b", "two");
    rig.source.put("c", "three");
    const stop = new AbortController();
    rig.source.follow = async function* (signal) {
      const settle = (): Promise<void> => rig.clock.sleep(1000, signal);
      await settle();
      rig.source.put("a", "edited");
      yield rig.source.event("a");
      await settle();
      expect(rig.sink.texts("docs:a")).toEqual(["edited"]);
      rig.source.remove("b");
      yield rig.source.event("b");
      await settle();
      expect(rig.sink.texts("docs:b")).toEqual([]);
      stop.abort();
      await never();
    };
    const { exitCode, summary } = await rig.run({ follow: true, stop: stop.signal });
    expect(exitCode).toBe(0);
    // Each counts once, by what became of it: `a` was added, and `b` is there no more.
    expect(summary.documents).toMatchObject({ listed: 2, added: 2, updated: 0, deleted: 1 });
    expect(await rig.difference()).toEqual([]);
  });

  it("withholds too many deletions, and names them once", async () => {
    const rig = filled();
    const stop = new AbortController();
    rig.source.follow = async function* (signal) {
      for (let number = 0; number < 25; number += 1) {
        rig.source.remove(`d${number}`);
        yield rig.source.event(`d${number}`);
        await rig.clock.sleep(1000, signal);
      }
      stop.abort();
      await never();
    };
    const { summary } = await rig.run({ follow: true, stop: stop.signal });
    expect(summary.documents).toMatchObject({ deleted: 10, withheld: 15 });
    expect(summary.withheld).toHaveLength(1);
    expect(rig.sink.records).toHaveLength(20);
  });
});
