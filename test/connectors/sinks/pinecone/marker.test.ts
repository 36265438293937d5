import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { CollectionMarker } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  makeVector,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { rawClient } from "./harness.ts";
import { created, type OpenSink, rejection, signal, sinkAt } from "./places.ts";

/** The namespaces of the index as a stranger would use them. */
async function rawIndex({ emulator }: Pick<OpenSink, "emulator">, namespace?: string) {
  const client = rawClient(emulator);
  const { host } = await client.indexes.describe("handbook");
  return client.index({ host, ...(namespace === undefined ? {} : { namespace }) });
}

/** A collection with a marker and some records. */
async function marked(config: Readonly<Record<string, unknown>> = {}) {
  const open = await created({ visibility_timeout_ms: 60, ...config });
  const marker = makeMarker(8);
  await open.collection.setMarker(marker, signal);
  const records = makeRecords(5, 8);
  await open.collection.write(records.map(toUpsert), signal);
  return { ...open, marker, records };
}

describe("the marker", () => {
  it.each([3, 4_096, 20_000])(
    "of a collection of dimension %i is kept whole",
    async (dimension) => {
      const { sink, collection } = await created({}, {}, dimension);
      const probe = Buffer.concat(
        [1, 2, 3].map((number) => Buffer.from(makeVector(number, dimension).buffer)),
      );
      const marker = makeMarker(dimension, { probe: probe.toString("base64") });
      await collection.setMarker(marker, signal);
      expect((await sink.describe(signal))?.marker).toEqual(marker);
    },
  );

  it("is replaced by a shorter one without a rest", async () => {
    const { sink, collection } = await created();
    const long = makeMarker(8, { probe: "A".repeat(100_000) });
    const short = { ...long, probe: "short" };
    for (const marker of [long, short, long]) {
      await collection.setMarker(marker, signal);
      expect((await sink.describe(signal))?.marker).toEqual(marker);
    }
  });

  it("lies in another namespace, where no search of records finds it", async () => {
    const open = await marked({ namespace: "production" });
    const stats = await (await rawIndex(open)).describeIndexStats();
    expect(stats.namespaces).toMatchObject({ production: { recordCount: 5 } });
    expect(Object.keys(stats.namespaces ?? {}).toSorted()).toEqual(["__sluice__", "production"]);
    const raw = await rawIndex(open, "production");
    const { matches } = await raw.query({ vector: [1, 0, 0, 0, 0, 0, 0, 0], topK: 100 });
    expect(matches.map(({ id }) => id).toSorted()).toEqual(
      open.records.map(({ id }) => id).toSorted(),
    );
  });

  it("of one namespace is not that of another", async () => {
    const open = await marked({ namespace: "a" });
    const other = sinkAt(open.emulator, { namespace: "b" });
    expect(await other.describe(signal)).toMatchObject({ records: 0, misfits: [] });
    expect((await other.describe(signal))?.marker).toBeUndefined();
    const second = await other.open(signal);
    const marker = makeMarker(8);
    await second.setMarker(marker, signal);
    expect((await open.sink.describe(signal))?.marker).toEqual(open.marker);
    expect((await other.describe(signal))?.marker).toEqual(marker);
  });

  it("keeps the marks of two pipelines that mark at one moment", async () => {
    const { emulator, collection } = await created();
    const marker = makeMarker(8, { pipelines: {} });
    await collection.setMarker(marker, signal);
    const own = mark();
    const [first, second] = [sinkAt(emulator), sinkAt(emulator)];
    const [one, two] = [await first.open(signal), await second.open(signal)];
    await Promise.all([
      one.setMarker({ ...marker, pipelines: { one: own } }, signal),
      two.setMarker({ ...marker, pipelines: { "two's 🙂": own } }, signal),
    ]);
    const live = () => sinkAt(emulator).describe(signal);
    expect((await live())?.marker?.pipelines).toEqual({ one: own, "two's 🙂": own });
    // `one` has seen an older mark of the other, and does not bring it back.
    await first.describe(signal);
    const newer = { ...own, runSeq: 2 };
    await two.setMarker({ ...marker, pipelines: { one: own, "two's 🙂": newer } }, signal);
    await one.setMarker({ ...marker, pipelines: { one: newer, "two's 🙂": own } }, signal);
    expect((await live())?.marker?.pipelines).toEqual({ one: newer, "two's 🙂": newer });
    await one.setMarker({ ...marker, pipelines: { "two's 🙂": own } }, signal);
    expect((await live())?.marker?.pipelines).toEqual({ "two's 🙂": newer });
  });

  it("of a new incarnation does not have the pipelines of the old one", async () => {
    const { emulator, sink, collection } = await created();
    // A client that has seen nothing of the old one.
    const other = await sinkAt(emulator).open(signal);
    await collection.setMarker(makeMarker(8, { pipelines: { old: mark() } }), signal);
    const next = makeMarker(8, { pipelines: { own: mark() } });
    await other.setMarker(next, signal);
    expect((await sink.describe(signal))?.marker).toEqual(next);
  });

  it("that a newer sluice wrote, or somebody changed, is not believed", async () => {
    const open = await marked();
    const raw = await rawIndex(open, "__sluice__");
    const { vectors = [] } = await raw.listPaginated();
    const head = vectors.map(({ id = "" }) => id).find((id) => id.endsWith(":head"))!;
    await raw.update({ id: head, metadata: { version: 2 } });
    expect(await rejection(open.sink.describe(signal))).toMatchObject({
      code: "sink.foreign",
      message: expect.stringContaining("Upgrade sluice"),
    });
    await raw.update({ id: head, metadata: { version: 1, probe_parts: 3 } });
    expect(await rejection(open.sink.describe(signal))).toMatchObject({ code: "sink.foreign" });
  });

  it("that another process replaces at the same moment is a conflict", async () => {
    const { emulator, collection } = await created({ visibility_timeout_ms: 50 });
    const other = await sinkAt(emulator).open(signal);
    const rival: CollectionMarker = makeMarker(8);
    let done: Promise<void> | undefined;
    emulator.behave(({ operation }) => {
      if (operation !== "list" || done !== undefined) return undefined;
      done = other.setMarker(rival, signal);
      return { kind: "slow", ms: 100 };
    });
    expect(await rejection(collection.setMarker(makeMarker(8), signal))).toMatchObject({
      code: "sink.conflict",
      retry: "later",
      ambiguous: true,
    });
    await done;
  });
});

function mark() {
  return { stateId: randomUUID(), runSeq: 1 };
}

describe("the marker of a namespace that was deleted", () => {
  it("dies with it: its incarnation does not survive", async () => {
    const open = await marked({ namespace: "production" });
    const raw = await rawIndex(open);
    await raw.deleteNamespace("production");
    const sink = sinkAt(open.emulator, { namespace: "production", visibility_timeout_ms: 30 });
    for (let time = 0; time < 2; time += 1) {
      expect(await sink.describe(signal)).toEqual({
        dimension: 8,
        metric: "cosine",
        elementType: "float32",
        records: 0,
        misfits: [],
      });
    }
    const next = makeMarker(8);
    const collection = await sink.open(signal);
    await collection.setMarker(next, signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect(await sinkAt(open.emulator, { namespace: "production" }).describe(signal)).toMatchObject(
      { marker: next, records: 1 },
    );
  });

  it("is asked for once only, and not for longer than it may take", async () => {
    const open = await marked({ namespace: "production" });
    await (await rawIndex(open)).deleteNamespace("production");
    const sink = sinkAt(open.emulator, { namespace: "production", visibility_timeout_ms: 250 });
    const times: number[] = [];
    for (let time = 0; time < 2; time += 1) {
      const before = performance.now();
      await sink.describe(signal);
      times.push(performance.now() - before);
    }
    expect(times[0]).toBeGreaterThan(240);
    expect(times[0]).toBeLessThan(1_500);
    expect(times[1]).toBeLessThan(200);
  });

  it("is not void while the first records are only on their way", async () => {
    const open = await created({ visibility_timeout_ms: 3_000 });
    const marker = makeMarker(8);
    await open.collection.setMarker(marker, signal);
    open.emulator.delayVisibility(150);
    await open.collection.write([toUpsert(makeRecord(1, 8))], signal);
    // The note is there before the records are.
    open.emulator.delayVisibility(0);
    const other = sinkAt(open.emulator, { visibility_timeout_ms: 3_000 });
    expect(await other.describe(signal)).toMatchObject({ marker });
  });

  it("is not void before anything was written", async () => {
    const open = await created();
    const marker = makeMarker(8);
    await open.collection.setMarker(marker, signal);
    const before = performance.now();
    expect((await sinkAt(open.emulator).describe(signal))?.marker).toEqual(marker);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it("is noted before the first record is sent, once", async () => {
    const open = await created();
    const marker = makeMarker(8);
    await open.collection.setMarker(marker, signal);
    const order: string[] = [];
    open.emulator.behave(({ operation, body }) => {
      if (operation === "upsert") order.push((body as { namespace: string }).namespace);
      return undefined;
    });
    for (const record of makeRecords(3, 8)) await open.collection.write([toUpsert(record)], signal);
    expect(order).toEqual(["__sluice__", "__default__", "__default__", "__default__"]);
    const later = await sinkAt(open.emulator).open(signal);
    await later.write([toUpsert(makeRecord(9, 8))], signal);
    expect(order).toHaveLength(5);
  });

  it("is void too when it was set after the records, as adopting does", async () => {
    const open = await created({ visibility_timeout_ms: 30 });
    await open.collection.write([toUpsert(makeRecord(1, 8))], signal);
    const other = sinkAt(open.emulator, { visibility_timeout_ms: 30 });
    const adopted = await other.open(signal);
    await adopted.setMarker(makeMarker(8), signal);
    await (await rawIndex(open)).deleteAll();
    expect((await other.describe(signal))?.marker).toBeUndefined();
  });

  it("does not make anybody wonder once the last pipeline has taken its records along", async () => {
    const open = await marked();
    const other = sinkAt(open.emulator, { visibility_timeout_ms: 5_000 });
    await other.describe(signal);
    const collection = await other.open(signal);
    await collection.write(open.records.map(toDelete), signal);
    const left = { ...open.marker, pipelines: {} };
    await collection.setMarker(left, signal);
    const before = performance.now();
    expect((await sinkAt(open.emulator).describe(signal))?.marker).toEqual(left);
    expect(performance.now() - before).toBeLessThan(1_500);
  });
});

describe("an index that was made anew behind the same address", () => {
  it("takes no more writes of the run", async () => {
    let skipped = 0;
    const clock = { ...systemClock, monotonic: () => performance.now() + skipped };
    const { emulator } = await created();
    const sink = sinkAt(emulator, { visibility_timeout_ms: 40 }, { clock });
    const collection = await sink.open(signal);
    await collection.setMarker(makeMarker(8), signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    const raw = await rawIndex({ emulator });
    await raw.deleteNamespace("__sluice__");
    // Asking before every write would cost a request each.
    await collection.write([toUpsert(makeRecord(2, 8))], signal);
    skipped += 10_001;
    const write = collection.write([toUpsert(makeRecord(3, 8))], signal);
    expect(await rejection(write)).toMatchObject({ code: "sink.missing", retry: "never" });
    expect(emulator.records("handbook").size).toBe(2);
  });

  it("is asked for now and then, and goes on when it is the same", async () => {
    let skipped = 0;
    const clock = { ...systemClock, monotonic: () => performance.now() + skipped };
    const { emulator } = await created();
    const sink = sinkAt(emulator, {}, { clock });
    const collection = await sink.open(signal);
    await collection.setMarker(makeMarker(8), signal);
    emulator.reset();
    for (let time = 0; time < 4; time += 1) {
      skipped += 6_000;
      await collection.write([toUpsert(makeRecord(time, 8))], signal);
    }
    expect(emulator.stats().byOperation.fetch).toBe(2);
  });
});
