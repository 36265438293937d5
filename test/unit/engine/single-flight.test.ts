import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

/** A pipeline of two sources with two documents each, all of one text, that keeps nothing. */
function fourTimes(text: string): Rig {
  const rig = new Rig();
  rig.cache = undefined;
  const second = new RigSource();
  rig.sources.set("more", { source: second });
  for (const source of [rig.source, second]) for (const id of ["a", "b"]) source.put(id, text);
  return rig;
}

describe("a text that is embedded at the moment", () => {
  it("is not embedded again for another document, nor for another source", async () => {
    const rig = fourTimes("the same line");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(rig.embedder.texts).toEqual(["the same line"]);
    expect(summary.chunks).toEqual({ total: 4, embedded: 1, cached: 3 });
    expect(rig.sink.texts()).toHaveLength(4);
    const vectors = new Set(rig.sink.records.map(({ vector }) => vector.join()));
    expect(vectors.size).toBe(1);
  });

  it("is embedded once also when the first call fails, and all who wait get its vector", async () => {
    const rig = fourTimes("the same line");
    rig.embedder.before = async () => {
      if (rig.embedder.calls.length === 1) throw new Fault("embed.failed", "It was restarted.");
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(rig.embedder.calls).toEqual([["the same line"], ["the same line"]]);
    expect(summary.chunks).toEqual({ total: 4, embedded: 1, cached: 3 });
    expect(rig.sink.texts()).toHaveLength(4);
  });

  it("fails for all who wait when it fails for good, counts as known for none, and is asked for again", async () => {
    const rig = fourTimes("the same line");
    rig.embedder.before = async () => {
      throw new Fault("embed.rejected", "Not this one.", { retry: "never" });
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.documents.failed).toBe(4);
    expect(summary.chunks).toMatchObject({ embedded: 0, cached: 0 });
    rig.embedder.before = async () => {};
    rig.forgetCounts();
    for (const { source } of rig.sources.values()) source.put("a", "the same line, and more");
    expect((await rig.run()).summary.chunks).toMatchObject({ embedded: 1, cached: 1 });
    expect(rig.embedder.texts).toEqual(["the same line, and more"]);
  });

  it("is embedded once by a document that says it many times, and found by all that come later", async () => {
    const rig = new Rig();
    rig.source.put("a", "twice\nonce\ntwice");
    const first = await rig.run();
    expect(first.summary.chunks).toEqual({ total: 3, embedded: 2, cached: 1 });
    rig.source.put("b", "twice\nonce");
    const second = await rig.run();
    expect(second.summary.chunks).toEqual({ total: 2, embedded: 0, cached: 2 });
    expect(second.summary.cache).toEqual({ hits: 2, misses: 0, hit_rate: 1 });
    expect(rig.embedder.texts.toSorted()).toEqual(["once", "twice"]);
  });
});

describe("a cache with something to say", () => {
  it("is heard at once, and no sooner twice", async () => {
    const rig = new Rig();
    const { cache } = rig;
    if (cache === undefined) throw new Error("there is a cache");
    const notes = [{ level: "warning" as const, message: "It is away." }];
    rig.cache = { ...cache, news: () => notes.splice(0) };
    rig.source.put("a", "one\ntwo");
    await rig.run();
    const heard = rig.events.filter(({ kind }) => kind === "component-noted");
    expect(heard).toEqual([
      {
        kind: "component-noted",
        component: "cache",
        note: { level: "warning", message: "It is away." },
      },
    ]);
  });
});
