import { describe, expect, it } from "vitest";
import { listFailures } from "../../../src/engine/inspect.ts";
import { Fault, type FaultCodeName } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

async function indexed(options: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
  const rig = new Rig(options);
  for (let number = 0; number < 5; number += 1) rig.source.put(`d${number}`, `old ${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  for (let number = 0; number < 5; number += 1) rig.source.put(`d${number}`, `new ${number}`);
  rig.forgetCounts();
  return rig;
}

const embedderFaults: readonly FaultCodeName[] = [
  "embed.unreachable",
  "embed.rate-limited",
  "embed.timeout",
  "embed.failed",
  "embed.unauthorized",
  "embed.not-found",
];

describe("an embedder that is down", () => {
  it.each(embedderFaults)(
    "(%s) ends the run with 5, without dead letters, and loses nothing",
    async (code) => {
      const rig = await indexed();
      const before = JSON.stringify(rig.sink.records);
      rig.embedder.before = async () => {
        throw new Fault(code, "Down.");
      };
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(5);
      expect(summary).toMatchObject({ status: "failed", error: { code } });
      expect(await listFailures(rig.pipeline)).toEqual([]);
      expect(JSON.stringify(rig.sink.records)).toBe(before);
      rig.embedder.before = async () => {};
      expect((await rig.run()).exitCode).toBe(0);
      expect(await rig.difference()).toEqual([]);
    },
  );

  it("at the start changes nothing", async () => {
    const rig = await indexed();
    rig.embedder.open = async () => {
      throw new Fault("embed.unreachable", "Down.");
    };
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "embed.unreachable"]);
    expect(rig.source.opens).toEqual([]);
    expect(summary.documents.listed).toBe(0);
  });

  it("is tried again with backoff before the run gives up, and not after", async () => {
    const rig = await indexed();
    let calls = 0;
    rig.embedder.limits = { ...rig.embedder.limits, textsPerCall: 100, concurrentCalls: 1 };
    rig.embedder.before = async () => {
      calls += 1;
      if (calls < 3) throw new Fault("embed.unreachable", "Down.");
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(calls).toBe(3);
    expect(rig.events.filter(({ kind }) => kind === "retrying")).toHaveLength(2);
  });

  it("does not lose documents of a source with a cursor", async () => {
    const rig = await indexed({ cursors: true });
    rig.embedder.before = async () => {
      throw new Fault("embed.unreachable", "Down.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    rig.embedder.before = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

describe("one sink that is down", () => {
  it.each(["describe", "open", "setMarker", "write"])(
    "in `%s` leaves the others to settle; the run ends with 5 and names it",
    async (call) => {
      const rig = await indexed({ sinks: ["good", "bad"] });
      const old = rig.sinkOf("bad").texts();
      rig.sinkOf("bad").before = async (called) => {
        if (called === call) throw new Fault("sink.unreachable", "The sink is down.");
      };
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(5);
      expect(summary.status).toBe("failed");
      expect(summary.error).toMatchObject({ code: "sink.unreachable" });
      expect(rig.sinkOf("good").texts()).toEqual([0, 1, 2, 3, 4].map((number) => `new ${number}`));
      expect(rig.sinkOf("bad").texts()).toEqual(old);
      rig.sinkOf("bad").before = async () => {};
      rig.forgetCounts();
      expect((await rig.run()).exitCode).toBe(0);
      expect(rig.embedder.texts).toEqual([]);
      expect(await rig.difference()).toEqual([]);
      rig.forgetCounts();
      expect((await rig.run()).exitCode).toBe(0);
      expect(rig.source.opens).toEqual([]);
    },
  );

  it.each([true, false])(
    "from the start gets additions and deletions later (cursor: %s)",
    async (cursors) => {
      const rig = await indexed({ sinks: ["good", "bad"], cursors });
      rig.source.remove("d0");
      rig.source.put("added", "added");
      rig.sinkOf("bad").before = async () => {
        throw new Fault("sink.unreachable", "The sink is down.");
      };
      expect((await rig.run()).exitCode).toBe(5);
      expect((await rig.run()).exitCode).toBe(5);
      expect(rig.sinkOf("good").texts()).toContain("added");
      expect(rig.sinkOf("good").texts("docs:d0")).toEqual([]);
      rig.sinkOf("bad").before = async () => {};
      expect((await rig.run()).exitCode).toBe(0);
      expect(await rig.difference()).toEqual([]);
    },
  );

  it("that is full is given up at once, without waiting", async () => {
    const rig = await indexed({ sinks: ["good", "bad"] });
    rig.sinkOf("bad").beforeWrite = async () => {
      throw new Fault("sink.full", "Full.");
    };
    const { exitCode } = await rig.run();
    expect(exitCode).toBe(5);
    expect(rig.events.filter(({ kind }) => kind === "retrying")).toEqual([]);
    expect(rig.sinkOf("good").texts("docs:d0")).toEqual(["new 0"]);
  });

  it("for good costs no second reading of its documents within a run", async () => {
    const rig = await indexed({ sinks: ["good", "bad"] });
    rig.sinkOf("bad").beforeWrite = async () => {
      throw new Fault("sink.unreachable", "Down.");
    };
    await rig.run();
    expect(rig.source.opens).toHaveLength(5);
  });
});

describe("all sinks down", () => {
  it("end the run with 5 and read nothing", async () => {
    const rig = await indexed({ sinks: ["one", "two"] });
    for (const sink of rig.sinks.values()) {
      sink.before = async () => {
        throw new Fault("sink.unreachable", "Down.");
      };
    }
    const { exitCode, summary } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "sink.unreachable"]);
    expect(rig.source.opens).toEqual([]);
  });
});

describe("a source that is unreachable", () => {
  it("deletes nothing and ends the run with 5", async () => {
    const rig = await indexed();
    rig.source.documents.clear();
    rig.source.say = async function* () {
      yield* [];
      throw new Fault("source.unreachable", "Not mounted.");
    };
    const { summary, exitCode } = await rig.run({ allowDeletions: Infinity });
    expect([exitCode, summary.error?.code]).toEqual([5, "source.unreachable"]);
    expect(rig.sink.records).toHaveLength(5);
  });

  it("does not stop another source", async () => {
    const rig = await indexed();
    const other = new RigSource();
    other.put("o", "other");
    rig.sources.set("other", { source: other });
    rig.source.say = async function* () {
      yield* [];
      throw new Fault("source.unreachable", "Not mounted.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(rig.sink.texts("other:o")).toEqual(["other"]);
  });

  it("after a part of the listing has still brought that part", async () => {
    const rig = await indexed();
    rig.source.say = async function* (events) {
      yield* events.slice(0, 4);
      throw new Fault("source.unreachable", "Gone.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(rig.sink.texts().filter((text) => text.startsWith("new"))).toHaveLength(3);
    expect(rig.sink.records).toHaveLength(5);
  });

  it.each([
    ["an event before the first listing", 1],
    ["a listing inside a listing", 0],
  ])("that breaks its contract with %s deletes nothing", async (_what, from) => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.say = (events) => [...events.slice(from, 2), ...events];
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "source.protocol"]);
  });
});

describe("state and cache", () => {
  it("that are full from the start end the run with 5, in the summary", async () => {
    const rig = await indexed();
    const { open } = rig.state;
    rig.state = {
      ...rig.state,
      open: (async (options: never, signal: AbortSignal) => {
        const session = await open(options, signal);
        if (session === undefined) return undefined;
        return new Proxy(session, {
          get(target, name) {
            if (name === "commit") return () => Promise.reject(new Fault("state.full", "Full."));
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      }) as typeof open,
    };
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "state.full"]);
  });

  it("that become full end the run with 5 and lose nothing", async () => {
    const rig = await indexed();
    const cache = rig.cache;
    if (cache === undefined) throw new Error("There is no cache.");
    const { put } = cache;
    cache.put = async () => {
      throw new Fault("cache.full", "The disk is full.");
    };
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([5, "cache.full"]);
    cache.put = put;
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("a bug of a component rejects the run, and the next run is not hindered", async () => {
    const rig = await indexed();
    rig.embedder.before = async () => {
      throw new TypeError("A bug.");
    };
    await expect(rig.run()).rejects.toThrow("A bug.");
    rig.embedder.before = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});
