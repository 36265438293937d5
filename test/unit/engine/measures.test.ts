import { describe, expect, it } from "vitest";
import type { PlaceMeasures } from "../../../src/contracts/index.ts";
import { batchFill, hitRate, paddingShare } from "../../../src/engine/measures.ts";
import { RunMeter } from "../../../src/engine/meter.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

function lines(count: number, word = "line"): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index}`).join("\n");
}

const place: PlaceMeasures = {
  place: "cuda:0",
  batches: 4,
  texts: 20,
  tokens: 300,
  padding: 100,
  errors: {},
  inFlight: 0,
  window: 2,
  batchTokens: 200,
  batchTexts: 10,
  latency: { p50: 1, p95: 2, p99: 3 },
  ejected: false,
};

describe("what a run measures of its embedding", () => {
  it("is, at its end, the texts and tokens that the tally has, and nothing waits", async () => {
    const rig = new Rig();
    for (let index = 0; index < 7; index += 1) rig.source.put(`d${index}`, lines(9, `d${index}`));
    const meter = new RunMeter();
    const { summary } = await rig.run({ meter });
    const { embedding } = meter.read();
    expect(embedding).toMatchObject({
      texts: summary.chunks.embedded,
      tokens: summary.tokens,
      calls: rig.embedder.calls.length,
      inFlight: { calls: 0, texts: 0, tokens: 0 },
      waiting: { texts: 0, tokens: 0 },
      tokensHeld: 0,
      tokensAllowed: rig.policy.limits.tokensInFlight,
      retries: 0,
      errors: {},
    });
    expect(summary.embedding).toMatchObject({ calls: rig.embedder.calls.length, errors: {} });
  });

  it("tells in the midst of a run what is under way and what waits, texts and tokens", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(60));
    const meter = new RunMeter();
    const seen: { texts: number; tokens: number }[] = [];
    rig.embedder.before = async () => {
      const { inFlight, waiting, tokensHeld, texts } = meter.read().embedding;
      expect(inFlight.calls).toBe(rig.embedder.calling.now);
      expect(inFlight.tokens).toBe(rig.embedder.tokens.now);
      expect(inFlight.tokens + waiting.tokens).toBeLessThanOrEqual(tokensHeld);
      expect(inFlight.texts + waiting.texts + texts).toBeLessThanOrEqual(60);
      seen.push(waiting);
    };
    await rig.run({ meter });
    const most = Math.max(...seen.map(({ texts }) => texts));
    expect(most).toBeGreaterThan(30);
    expect(seen.every(({ texts, tokens }) => tokens === texts * 2)).toBe(true);
    expect(seen.at(-1)).toEqual({ texts: 0, tokens: 0 });
  });

  it("remembers the longest queue", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(60));
    const meter = new RunMeter();
    let most = 0;
    rig.embedder.before = async () => {
      const { waiting, mostWaiting } = meter.read().embedding;
      most = Math.max(most, waiting.texts);
      expect(mostWaiting).toEqual({ texts: most, tokens: most * 2 });
    };
    const { summary } = await rig.run({ meter });
    expect(summary.embedding?.most_waiting).toEqual({ texts: most, tokens: most * 2 });
    expect(most).toBeGreaterThan(30);
  });

  it("counts the time in which a call is under way once, however many there are", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(64));
    rig.embedder.before = (_, signal) => rig.clock.sleep(1000, signal);
    const { summary } = await rig.run();
    expect(rig.embedder.calls).toHaveLength(8);
    expect(rig.embedder.calling.most).toBe(2);
    const { embedding } = summary;
    expect(embedding).toMatchObject({ busy_ms: 4000, texts_per_second: 16 });
    expect(embedding?.latency_ms.p50).toBeGreaterThanOrEqual(1000);
    expect(embedding?.latency_ms.p99).toBeLessThan(1100);
  });

  it("counts what failed by its code, and what was tried again", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    let failures = 2;
    rig.embedder.before = async () => {
      failures -= 1;
      if (failures >= 0) throw new Fault("embed.rate-limited", "busy");
    };
    const { summary } = await rig.run();
    expect(summary.embedding).toMatchObject({
      calls: 1,
      retries: 2,
      errors: { "embed.rate-limited": 2 },
    });
  });

  it("is not there when the model was not asked for a document", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    const { summary } = await rig.run();
    expect(summary.embedding).toBeUndefined();
    expect(summary.cache).toEqual({ hits: 0, misses: 0 });
  });

  it("leaves out what its places did before it, such as the probe and an earlier run", async () => {
    const rig = new Rig();
    const embedder = Object.assign(rig.embedder, {
      done: 3,
      measures: () => [{ ...place, texts: embedder.done, errors: { "embed.timeout": 1 } }],
    });
    embedder.before = async (texts) => void (embedder.done += texts.length);
    rig.source.put("a", lines(5));
    const [first] = (await rig.run()).summary.embedding?.places ?? [];
    expect(first).toMatchObject({ texts: 5, batches: 0, errors: {} });
    rig.source.put("b", lines(2, "other"));
    const [second] = (await rig.run()).summary.embedding?.places ?? [];
    expect(second).toMatchObject({ texts: 2, errors: {} });
  });

  it("is of one run: a meter that was used is refused", async () => {
    const rig = new Rig();
    const meter = new RunMeter();
    await rig.run({ meter });
    await expect(rig.run({ meter })).rejects.toThrow(/measures one run/);
  });
});

describe("the cache's share", () => {
  it("counts each chunk once, as found or not found", async () => {
    const rig = new Rig();
    rig.source.put("a", lines(10));
    expect((await rig.run()).summary.cache).toEqual({ hits: 0, misses: 10, hit_rate: 0 });
    rig.source.put("a", `${lines(9)}\nnew`);
    expect((await rig.run()).summary.cache).toEqual({ hits: 9, misses: 1, hit_rate: 0.9 });
  });

  it("is not there without a cache", async () => {
    const rig = new Rig();
    rig.cache = undefined;
    rig.source.put("a", lines(10));
    expect((await rig.run()).summary.cache).toBeUndefined();
  });
});

describe("shares", () => {
  it("say how full batches were by tokens or by texts, whichever is more, and never beyond full", () => {
    expect(batchFill([])).toBeUndefined();
    expect(batchFill([{ ...place, batches: 0 }])).toBeUndefined();
    expect(batchFill([place])).toBe(0.5);
    expect(batchFill([{ ...place, texts: 36 }])).toBe(0.9);
    expect(batchFill([{ ...place, tokens: 5000 }])).toBe(1);
    expect(batchFill([{ ...place, batchTexts: Infinity, tokens: 500 }])).toBe(0.75);
    const idle = { ...place, batches: 0, texts: 0, tokens: 0, padding: 0, batchTexts: Infinity };
    expect(batchFill([place, idle])).toBe(0.5);
    // Twice as many batches weigh twice.
    const other = { ...place, batches: 8, tokens: 1600, padding: 0, texts: 8 };
    expect(batchFill([place, other])).toBeCloseTo((400 + 1600) / (4 * 200 + 8 * 200));
  });

  it("say what share of all that was computed was padding, and of what was looked for was found", () => {
    expect(paddingShare([])).toBeUndefined();
    expect(paddingShare([place])).toBe(0.25);
    expect(hitRate({ hits: 0, misses: 0 })).toBeUndefined();
    expect(hitRate({ hits: 3, misses: 1 })).toBe(0.75);
  });
});
