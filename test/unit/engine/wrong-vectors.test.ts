import { describe, expect, it } from "vitest";
import { memoryCache } from "../../../src/cache/index.ts";
import { fit } from "../../../src/dimensions/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSink } from "./rig/sink.ts";
import { vectorOf } from "./rig/stages.ts";

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index}`).join("\n");
}

function norm(vector: Float32Array): number {
  return Math.hypot(...vector);
}

const nan = (vectors: readonly Float32Array[], value: number): readonly Float32Array[] =>
  vectors.map((vector, index) => (index === 0 ? vector.with(3, value) : vector));

describe("an embedder that answers wrongly", () => {
  it.each<[string, (honest: readonly Float32Array[]) => readonly Float32Array[]]>([
    ["too few vectors", (honest) => honest.slice(1)],
    ["too many vectors", (honest) => [...honest, new Float32Array(8).fill(1)]],
    ["no vectors", () => []],
    ["a vector that is too short", (honest) => honest.map((vector) => vector.slice(0, 7))],
    ["a vector that is too long", (honest) => honest.map(() => new Float32Array(9).fill(1))],
    ["a NaN", (honest) => nan(honest, Number.NaN)],
    ["an infinity", (honest) => nan(honest, Number.POSITIVE_INFINITY)],
    ["a negative infinity", (honest) => nan(honest, Number.NEGATIVE_INFINITY)],
  ])("with %s stops the run; nothing of it is written or cached", async (_what, answer) => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", lines(5));
    rig.embedder.answer = answer;
    rig.forgetCounts();
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(5);
    expect(summary.error?.code).toBe("embed.invalid");
    expect(JSON.stringify(rig.sink.records)).toBe(before);
    expect(rig.sink.operations).toEqual([]);
    expect((await rig.row("a"))?.failure).toBeUndefined();
    // The first text.
    expect((await rig.cache?.stats())?.entries).toBe(1);
    rig.embedder.answer = (honest) => honest;
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("with a vector of zeros makes that document fail before anything is written, and is not cached", async () => {
    const rig = new Rig();
    rig.source.put("a", "one\ntwo");
    await rig.run();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", `${lines(100)}\nempty`);
    rig.source.put("b", "other");
    rig.embedder.answer = (honest, texts) =>
      honest.map((vector, index) => (texts[index] === "empty" ? new Float32Array(8) : vector));
    rig.forgetCounts();
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([
      { document: "docs:a", stage: "embed", code: "embed.zero" },
    ]);
    const old = rig.sink.records.filter(({ document }) => document === "docs:a");
    expect(JSON.stringify(old)).toBe(before);
    expect(rig.sink.texts("docs:b")).toEqual(["other"]);
    rig.embedder.answer = (honest) => honest;
    rig.source.touch("a");
    await rig.run();
    expect(await rig.difference()).toEqual([]);
  });

  it("with zeros where a smaller collection looks makes that document fail before anything is written", async () => {
    const rig = new Rig({ sinks: ["wide", "narrow"] });
    rig.sinkOf("narrow").dimension = 2;
    rig.source.put("a", "one\ntwo");
    await rig.run();
    rig.source.put("a", `${lines(100)}\nlate`);
    rig.embedder.answer = (honest, texts) =>
      honest.map((vector, index) =>
        texts[index] === "late" ? Float32Array.of(0, 0, 1, 1, 1, 1, 1, 1) : vector,
      );
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ stage: "embed", code: "embed.zero" }]);
    for (const sink of rig.sinks.values()) expect(sink.texts("docs:a")).toEqual(["one", "two"]);
  });
});

async function indexed(): Promise<Rig> {
  const rig = new Rig();
  rig.source.put("a", "one\ntwo");
  await rig.run();
  rig.source.put("b", "three");
  rig.forgetCounts();
  return rig;
}

async function expectRefusal(rig: Rig, where: RegExp): Promise<void> {
  const { summary, exitCode } = await rig.run();
  expect(exitCode).toBe(4);
  expect(summary.status).toBe("refused");
  expect(summary.error?.code).toBe("refused.probe");
  expect(summary.error?.message).toMatch(where);
  expect(rig.sink.operations).toEqual([]);
  expect(rig.embedder.texts).toEqual([]);
}

describe("the probe", () => {
  it("lets other weights through once they have a new collection and the cache is cleared, as it says", async () => {
    const rig = await indexed();
    rig.embedder.weights = "other";
    await expectRefusal(rig, /another collection \(and clear the cache\)/);
    rig.sink.collection += " of the new model";
    await expectRefusal(rig, /the embedding cache/);
    await rig.cache?.clear();
    const { exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    const [record] = rig.sink.records;
    expect([...(record?.vector ?? [])]).toEqual([
      ...fit(vectorOf(record?.text ?? "", 8, "other"), 8),
    ]);
  });

  it("is not forgotten by a cache that is too small for the vectors", async () => {
    const cache = memoryCache({ maxMb: 0.001 });
    const rig = new Rig();
    rig.cache = cache;
    rig.source.put("a", lines(50));
    await rig.run();
    expect((await cache.stats()).entries).toBeLessThan(10);
    const other = new Rig();
    other.cache = cache;
    other.embedder.weights = "other";
    other.source.put("x", lines(50));
    await expectRefusal(other, /the embedding cache/);
  });

  it("that was refused elsewhere does not claim an empty cache", async () => {
    const rig = await indexed();
    rig.cache = memoryCache();
    rig.embedder.weights = "other";
    await expectRefusal(rig, /collection/);
    rig.embedder.weights = "";
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("of another size than it should have is no proof", async () => {
    const rig = await indexed();
    const { marker } = rig.sink;
    if (marker !== undefined) rig.sink.marker = { ...marker, probe: marker.probe.slice(0, 64) };
    await expectRefusal(rig, /48 bytes, expected 96/);
  });

  it("refuses other weights under the same name by what the cache remembers, before using it", async () => {
    const rig = await indexed();
    const { cache } = rig;
    const other = new Rig();
    other.cache = cache;
    other.embedder.weights = "other";
    other.source.put("x", "one");
    await expectRefusal(other, /the embedding cache/);
  });

  it("refuses other weights under the same name by the collection's marker", async () => {
    const rig = await indexed();
    const other = new Rig();
    other.name = "another";
    other.sink.collection = rig.sink.collection;
    other.embedder.weights = "other";
    other.source.put("x", "one");
    await expectRefusal(other, /collection/);
    expect(rig.sink.texts()).toEqual(["one", "two"]);
  });

  it("compares no more numbers than a smaller collection keeps", async () => {
    const rig = new Rig();
    rig.sink.dimension = 4;
    rig.source.put("a", "one");
    await rig.run();
    const other = new Rig();
    other.name = "another";
    other.sink.collection = rig.sink.collection;
    other.source.put("x", "two");
    expect((await other.run()).exitCode).toBe(0);
    expect(other.sink.texts()).toEqual(["one", "two"]);
  });

  it("lets through what differs by no more than rounding", async () => {
    const rig = await indexed();
    const { embed } = rig.embedder;
    rig.embedder.embed = async (texts, purpose, signal) => {
      const { vectors } = await embed.call(rig.embedder, texts, purpose, signal);
      return { vectors: vectors.map((vector) => vector.map((value) => value * 3 + 0.5)) };
    };
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("does not poison the cache of a space it never saw", async () => {
    const rig = await indexed();
    rig.embedder.weights = "other";
    rig.cache = memoryCache();
    rig.state = new Rig().state;
    await expectRefusal(rig, /collection/);
  });
});

describe("the embedding space", () => {
  it.each<[string, (rig: Rig) => void]>([
    [
      "another model",
      (rig) => Object.assign(rig.embedder, { model: { ...rig.embedder.model, id: "other" } }),
    ],
    [
      "another revision",
      (rig) => Object.assign(rig.embedder, { model: { ...rig.embedder.model, revision: "2" } }),
    ],
    [
      "another document prompt",
      (rig) =>
        Object.assign(rig.embedder, {
          model: { ...rig.embedder.model, prompts: { document: "passage: ", query: "" } },
        }),
    ],
  ])("is refused in place when the file names %s", async (_what, change) => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    const before = JSON.stringify(rig.sink.records);
    change(rig);
    rig.source.put("b", "two");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.error?.code).toBe("refused.space");
    expect(summary.error?.message).toMatch(/new `collection`/);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
    // A new collection takes the new space; the old one stays as it is.
    const old = rig.sink.collection;
    rig.sink.collection += "-next";
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.texts()).toEqual(["one", "two"]);
    rig.sink.collection = old;
    expect(JSON.stringify(rig.sink.records)).toBe(before);
  });

  it("is the same under another query prompt", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    rig.embedder.model = {
      ...rig.embedder.model,
      prompts: { document: "", query: "Instruct: …" },
    };
    rig.forgetCounts();
    const { exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toEqual([]);
  });
});

describe("a vector that leaves", () => {
  it("has norm 1 and the direction of the model's first numbers, in every dimension", async () => {
    const rig = new Rig({ sinks: ["full", "four", "two"] });
    rig.sinkOf("four").dimension = 4;
    rig.sinkOf("two").dimension = 2;
    rig.source.put("a", lines(20));
    await rig.run();
    for (const [name, dimension] of [
      ["full", 8],
      ["four", 4],
      ["two", 2],
    ] as const) {
      expect(rig.sinkOf(name).records).toHaveLength(20);
      for (const { text, vector } of rig.sinkOf(name).records) {
        expect(vector).toHaveLength(dimension);
        expect(norm(vector)).toBeCloseTo(1, 5);
        const native = vectorOf(text ?? "").slice(0, dimension);
        for (const [index, value] of vector.entries()) {
          expect(value).toBeCloseTo((native[index] ?? 0) / norm(native), 5);
        }
      }
    }
  });

  it("is sliced from the model's own, not from one that was normalised before", async () => {
    // After slicing, a vector normalised at full width is too short; a reader of cosine would not notice.
    const rig = new Rig({ sinks: ["four"] });
    rig.sink.dimension = 4;
    rig.source.put("a", "one");
    await rig.run();
    const [record] = rig.sink.records;
    const full = vectorOf("one");
    const short = full.slice(0, 4).map((value) => value / norm(full));
    expect(norm(short)).toBeLessThan(0.99);
    expect(norm(record?.vector ?? short)).toBeCloseTo(1, 5);
  });

  it("is made from a copy in the cache that stays whole", async () => {
    const rig = new Rig();
    rig.sink.dimension = 4;
    rig.source.put("a", "one");
    await rig.run();
    rig.sinks.set("full", new RigSink("full"));
    rig.forgetCounts();
    await rig.run();
    expect(rig.embedder.texts).toEqual([]);
    expect(await rig.difference()).toEqual([]);
  });
});
