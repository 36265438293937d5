import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { memorySink, memoryStore } from "../../../../connectors/sinks/memory/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import {
  lawFields,
  makeRecord,
  specOf,
  toUpsert,
  type SinkHarness,
  type SinkPlace,
} from "../../../../src/testkit/sink-harness.ts";
import { sinkLaws } from "../../../../src/testkit/sink-laws.ts";

interface MemoryPlace extends SinkPlace {
  readonly name: string;
}

function makeSink(collection: string, changes: Record<string, unknown> = {}): Sink {
  const context: ConnectorContext = {
    name: "search",
    pipeline: "law",
    folder: "/",
    clock: systemClock,
    fields: lawFields,
  };
  return memorySink.create(memorySink.config.parse({ collection, ...changes }), context);
}

const harness: SinkHarness<MemoryPlace> = {
  notSupported: {
    reject: "the process takes whatever passes the checks",
    disconnect: "there is no far end",
    foreign: "nothing else can make a collection in this process",
  },
  async place(context) {
    const name = randomUUID();
    context.defer(() => memoryStore.drop(name));
    return { name, connect: async () => makeSink(name) };
  },
  reopen: async () => {},
  async drop({ name }) {
    memoryStore.drop(name);
  },
};

registerLaws(sinkLaws(harness), { describe, it }, { title: "memory obeys the sink laws" });

describe("memory", () => {
  const { signal } = new AbortController();

  it("shows a second run in the process what the first has written, and no other name", async () => {
    const name = randomUUID();
    const first = await makeSink(name).create(specOf({}, makeSink(name)), signal);
    await first.write([toUpsert(makeRecord(1, 8))], signal);
    expect((await makeSink(name).describe(signal))?.records).toBe(1);
    expect(await makeSink(randomUUID()).describe(signal)).toBeUndefined();
    memoryStore.drop(name);
  });

  it("leaves out what `omit` names", async () => {
    const name = randomUUID();
    const sink = makeSink(name, { omit: ["title", "text", "language"] });
    const collection = await sink.create(specOf({}, sink), signal);
    const record = makeRecord(1, 8, { title: "T", fields: { language: "de", year: 2024 } });
    await collection.write([toUpsert(record)], signal);
    const [stored] = await collection.read([record.id], { vectors: false }, signal);
    expect(stored).not.toHaveProperty("title");
    expect(stored).not.toHaveProperty("text");
    expect(stored?.fields).toEqual({ year: 2024 });
    memoryStore.drop(name);
  });

  it.each(["cosine", "dot", "euclidean"])("ranks by %s, the nearest first", async (metric) => {
    const name = randomUUID();
    const sink = makeSink(name, { create: { metric } });
    const collection = await sink.create(specOf({ dimension: 2 }, sink), signal);
    const near = makeRecord(1, 2, { vector: Float32Array.of(0.8, 0.6) });
    const far = makeRecord(2, 2, { vector: Float32Array.of(0, 1) });
    await collection.write([far, near].map(toUpsert), signal);
    const hits = await collection.search({ vector: Float32Array.of(1, 0), k: 2 }, signal);
    expect(hits.map((hit) => hit.record.id)).toEqual([near.id, far.id]);
    const expected = metric === "euclidean" ? -Math.sqrt(0.4) : 0.8;
    expect(hits[0]?.score).toBeCloseTo(expected, 5);
    memoryStore.drop(name);
  });

  it("refuses a query of another length", async () => {
    const name = randomUUID();
    const sink = makeSink(name);
    const collection = await sink.create(specOf({}, sink), signal);
    await expect(
      collection.search({ vector: new Float32Array(7), k: 1 }, signal),
    ).rejects.toMatchObject({ code: "sink.dimension" });
    memoryStore.drop(name);
  });
});
