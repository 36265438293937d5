import { describe, expect, it } from "vitest";
import { PineconeClient } from "../../../../connectors/sinks/pinecone/client.ts";
import { DataPlane } from "../../../../connectors/sinks/pinecone/data-plane.ts";
import { Freshness } from "../../../../connectors/sinks/pinecone/freshness.ts";
import { pineconeSink } from "../../../../connectors/sinks/pinecone/index.ts";
import type { VisibilityToken } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { created, rejection, signal, sinkAt } from "./places.ts";

describe("a write", () => {
  it("is acknowledged before it can be read, and waited for by its token", async () => {
    let passed = 0;
    const clock = { ...systemClock, monotonic: () => performance.now() + passed };
    const { collection, emulator } = await created({}, { clock });
    emulator.delayVisibility(60_000);
    const count = () => collection.count(undefined, signal);
    const waitFor = async (token: VisibilityToken) => {
      let waited = false;
      const wait = collection.waitVisible!(token, signal).then(() => (waited = true));
      expect(await count()).toBe(0);
      expect(waited).toBe(false);
      passed += 60_000;
      return wait;
    };
    const records = makeRecords(3, 8);
    const first = await collection.write(records.map(toUpsert), signal);
    expect(first.visible).toEqual({ lsn: 1 });
    await waitFor(first.visible!);
    expect(await count()).toBe(3);
    const all = [...records.map(toDelete), toUpsert(makeRecord(9, 8))];
    const next = await collection.write(all, signal);
    // The later of the two.
    expect(next.visible).toEqual({ lsn: 3 });
    await collection.waitVisible!(first.visible!, signal);
    expect(await count()).toBe(3);
    passed += 60_000;
    await collection.waitVisible!(next.visible!, signal);
    expect(await count()).toBe(1);
  });

  it("is not waited for longer than allowed, and not when the run is stopped", async () => {
    const { collection, emulator } = await created({ visibility_timeout_ms: 60 });
    emulator.delayVisibility(60_000);
    const { visible } = await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect(await rejection(collection.waitVisible!(visible!, signal))).toMatchObject({
      code: "sink.not-ready",
      retry: "later",
      ambiguous: false,
      message: expect.stringContaining("`visibility_timeout_ms`"),
    });
    const stop = new AbortController();
    const reason = new Error("stopped by hand");
    setTimeout(() => stop.abort(reason), 15);
    expect(await rejection(collection.waitVisible!(visible!, stop.signal))).toBe(reason);
  });

  it("to an index that tells no numbers is not waited for", async () => {
    const { collection, emulator } = await created();
    emulator.behave(({ operation }) => {
      if (operation === "query") return { kind: "status", status: 200, body: '{"matches":[]}' };
      const body = '{"upsertedCount":1}';
      return operation === "upsert" ? { kind: "status", status: 200, body } : undefined;
    });
    const { visible, failed } = await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect([visible, failed.size]).toEqual([undefined, 0]);
    await collection.waitVisible?.({ lsn: 7 }, signal);
  });
});

describe("a token", () => {
  it("stands for all writes before it, in whatever order they are answered", () => {
    const config = pineconeSink.config.parse({ api_key: "a-key", index: "handbook" });
    const client = new PineconeClient(config, "`handbook`", systemClock);
    const place = { host: "127.0.0.1", namespace: "production" };
    const plane = new DataPlane({ client, ...place, findOut: async () => "there" });
    const freshness = new Freshness(plane, { dimension: 8, limitMs: 100 });
    expect(freshness.note([undefined, undefined])).toBeUndefined();
    expect(freshness.note([2, undefined])).toEqual({ lsn: 2 });
    expect(freshness.note([5, 6])).toEqual({ lsn: 6 });
    expect(freshness.note([4])).toEqual({ lsn: 6 });
  });

  it("is waited for by another client, too", async () => {
    const { collection, emulator } = await created();
    emulator.delayVisibility(100);
    const { visible } = await collection.write(makeRecords(5, 8).map(toUpsert), signal);
    const other = await sinkAt(emulator).open(signal);
    expect(await other.count(undefined, signal)).toBe(0);
    await other.waitVisible!(visible!, signal);
    expect(await other.count(undefined, signal)).toBe(5);
  });
});

describe("the marker", () => {
  it("is set when everybody can read it, after everything that was written before it", async () => {
    const { collection, emulator } = await created();
    emulator.delayVisibility(100);
    await collection.write(makeRecords(4, 8).map(toUpsert), signal);
    const marker = makeMarker(8);
    await collection.setMarker(marker, signal);
    expect(await sinkAt(emulator).describe(signal)).toMatchObject({ marker, records: 4 });
  });

  it("is not set before what was written can be read", async () => {
    const { collection, emulator } = await created({ visibility_timeout_ms: 40 });
    emulator.delayVisibility(60_000);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    emulator.delayVisibility(0);
    expect(await rejection(collection.setMarker(makeMarker(8), signal))).toMatchObject({
      code: "sink.not-ready",
      ambiguous: false,
    });
    expect(emulator.records("handbook", "__sluice__").size).toBe(0);
  });

  it("that cannot be read in time is told to be written perhaps", async () => {
    const { collection, emulator } = await created({ visibility_timeout_ms: 40 });
    emulator.delayVisibility(60_000);
    expect(await rejection(collection.setMarker(makeMarker(8), signal))).toMatchObject({
      code: "sink.not-ready",
      retry: "later",
      ambiguous: true,
    });
  });
});
