import { describe, expect, it } from "vitest";
import { memoryCache } from "../../../src/cache/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSink } from "./rig/sink.ts";
import { RigSource } from "./rig/source.ts";

function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${from + index}`).join("\n");
}

describe("a changed document", () => {
  it("embeds only the chunks that changed, and writes all of them, for all carry its version", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(0, 100));
    await rig.run();
    rig.source.put("a", lines(0, 100).replace("line 50", "line fifty"));
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(rig.embedder.texts).toEqual(["line fifty"]);
    expect(summary.chunks).toEqual({ total: 100, embedded: 1, cached: 99 });
    const fingerprints = new Set(rig.sink.records.map(({ fingerprint }) => fingerprint));
    expect(fingerprints.size).toBe(1);
    expect(rig.sink.operations.filter(({ kind }) => kind === "delete")).toHaveLength(1);
  });

  it("reads vectors of unchanged chunks back from the sink when the cache is gone", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(0, 10));
    await rig.run();
    rig.cache = memoryCache();
    rig.source.put("a", `${lines(0, 10)}\nnew line`);
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(rig.embedder.texts).toEqual(["new line"]);
    expect(rig.sink.reads.toSorted()).toHaveLength(10);
    expect(summary.chunks).toEqual({ total: 11, embedded: 1, cached: 10 });
    expect(rig.sink.texts()).toHaveLength(11);
    for (const record of rig.sink.records) {
      const fresh = rig.embedder.model.dimensions.native;
      expect(record.vector).toHaveLength(fresh);
    }
  });

  it("works without any cache", async () => {
    const rig = new Rig();
    rig.cache = undefined;
    rig.source.put("a", lines(0, 10));
    await rig.run();
    rig.source.describe("a", { metadata: { changed: true } });
    rig.forgetCounts();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toHaveLength(10);
  });

  it("is embedded when the sink does not give its vectors back either", async () => {
    const rig = new Rig();
    rig.cache = undefined;
    rig.source.put("a", lines(0, 3));
    await rig.run();
    rig.source.describe("a", { metadata: { changed: true } });
    rig.forgetCounts();
    rig.sink.before = async (call) => {
      if (call === "read") throw new Fault("sink.unreachable", "No.");
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.embedder.texts).toHaveLength(3);
  });
});

/** A document in one sink; a second sink of another dimension comes later, and the cache is gone. */
async function grown(first: "auto" | number, second: "auto" | number): Promise<Rig> {
  const rig = new Rig({ sinks: ["first"] });
  rig.sink.dimension = first;
  rig.source.put("a", lines(0, 5));
  await rig.run();
  const added = new RigSink("second");
  added.dimension = second;
  rig.sinks.set("second", added);
  rig.cache = memoryCache();
  rig.forgetCounts();
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

describe("vectors that are not in the cache", () => {
  it("are read back from a sink of larger dimension", async () => {
    const rig = await grown("auto", 4);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sinkOf("second").records.map(({ vector }) => vector.length)).toEqual([
      4, 4, 4, 4, 4,
    ]);
    expect(rig.sinkOf("first").operations).toEqual([]);
  });

  it("are read back from a sink of equal dimension", async () => {
    const rig = await grown("auto", "auto");
    expect(rig.embedder.texts).toEqual([]);
    const [first, second] = [rig.sinkOf("first"), rig.sinkOf("second")];
    for (const [index, record] of second.records.entries()) {
      for (const [place, value] of record.vector.entries()) {
        expect(value).toBeCloseTo(first.records[index]?.vector[place] ?? Number.NaN, 6);
      }
    }
  });

  it("are never made from a sink of smaller dimension", async () => {
    const rig = await grown(4, "auto");
    expect(rig.embedder.texts).toHaveLength(5);
    expect(rig.sinkOf("first").reads).toEqual([]);
    expect(await rig.difference()).toEqual([]);
  });
});

describe("texts", () => {
  it("that two sinks of different dimension need are embedded once", async () => {
    const rig = new Rig({ sinks: ["wide", "narrow"] });
    rig.sinkOf("narrow").dimension = 4;
    rig.source.put("a", lines(0, 20));
    await rig.run();
    expect(rig.embedder.texts).toHaveLength(20);
  });

  it("that a later sink needs come from the cache, and its documents settle there alone", async () => {
    const rig = new Rig({ sinks: ["first"] });
    rig.source.put("a", lines(0, 20));
    await rig.run();
    rig.sinks.set("second", new RigSink("second"));
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sinkOf("first").operations).toEqual([]);
    expect(rig.sinkOf("first").reads).toEqual([]);
    expect(summary.chunks).toMatchObject({ embedded: 0, cached: 20 });
    expect(await rig.difference()).toEqual([]);
  });

  it("that are equal are embedded once, within a document, between documents and between sources", async () => {
    const rig = new Rig();
    const other = new RigSource();
    rig.sources.set("blog", { source: other });
    rig.embedder.limits = { textsPerCall: 3, tokensPerCall: 1000, concurrentCalls: 2 };
    rig.embedder.before = () => rig.clock.sleep(100, new AbortController().signal);
    for (let number = 0; number < 20; number += 1) {
      rig.source.put(`d${number}`, "same\nsame\nsame too");
      other.put(`d${number}`, "same\nother");
    }
    const { summary } = await rig.run();
    expect(rig.embedder.texts.toSorted()).toEqual(["other", "same", "same too"]);
    expect(summary.chunks.embedded).toBe(3);
    expect(summary.chunks.embedded + summary.chunks.cached).toBe(summary.chunks.total);
    expect(await rig.difference()).toEqual([]);
  });

  it("that are equal but appear in other documents later are not embedded again", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(0, 5));
    await rig.run();
    rig.source.remove("a");
    rig.source.put("moved", lines(0, 5));
    rig.forgetCounts();
    await rig.run();
    expect(rig.embedder.texts).toEqual([]);
  });
});

describe("an upgrade of nothing", () => {
  it("opens no document of 500, asks for no vector, and looks nothing up", async () => {
    const rig = new Rig();
    for (let number = 0; number < 500; number += 1) rig.source.put(`d${number}`, `text ${number}`);
    await rig.run();
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ listed: 500, unchanged: 500 });
    expect(rig.source.opens).toEqual([]);
    expect(rig.source.lookups).toEqual([]);
    expect(rig.sink.reads).toEqual([]);
    expect(rig.embedder.calls).toEqual([]);
  });
});
