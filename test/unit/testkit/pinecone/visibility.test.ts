import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PineconeRecord } from "../../../../src/testkit/index.ts";
import { NamespaceStore } from "../../../../src/testkit/pinecone/namespace-store.ts";
import { VirtualClock } from "../../engine/rig/virtual-clock.ts";
import { records, type Reply, startIndex } from "./support.ts";

function written({ headers }: Reply): number {
  return Number(headers["x-pinecone-request-lsn"]);
}

function seen({ headers }: Reply): number {
  return Number(headers["x-pinecone-max-indexed-lsn"]);
}

function frozenClock(): VirtualClock {
  const clock = new VirtualClock();
  clock.frozen = true;
  return clock;
}

function recordOf(name: string, lsn: number): PineconeRecord {
  return { id: name, values: Float32Array.of(lsn) };
}

function values(found: ReadonlyMap<string, PineconeRecord>): Map<string, number> {
  return new Map(
    [...found].map(
      ([
        name,
        {
          values: [lsn = 0],
        },
      ]) => [name, lsn],
    ),
  );
}

describe("a namespace", () => {
  const id = fc.constantFrom("a", "b", "c");
  const step = fc.record({
    /** Ids to write, or to delete. */
    ids: fc.uniqueArray(id, { maxLength: 2 }),
    isDeletion: fc.boolean(),
    isLast: fc.boolean(),
    delayMs: fc.integer({ min: 0, max: 50 }),
    passMs: fc.integer({ min: 0, max: 40 }),
  });

  it("shows reads, at any time, exactly what the writes up to the number it tells made of it", () => {
    const law = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const store = new NamespaceStore();
      const states: { ids: Map<string, number>; exists: boolean; visibleAt: number }[] = [
        { ids: new Map(), exists: false, visibleAt: 0 },
      ];
      let now = 0;
      for (const { ids, isDeletion, isLast, delayMs, passMs } of steps) {
        const lsn = states.length;
        const before = states.at(-1)!;
        const changes = new Map(
          ids.map((name) => [name, isDeletion ? undefined : recordOf(name, lsn)]),
        );
        expect(store.write(changes, now + delayMs, !isLast)).toBe(lsn);
        const after = new Map(before.ids);
        for (const name of ids) {
          if (isDeletion) after.delete(name);
          else after.set(name, lsn);
        }
        // A write is not seen before those that came before it.
        const visibleAt = Math.max(now + delayMs, before.visibleAt);
        states.push({ ids: after, exists: !isLast, visibleAt });
        expect(values(store.durable)).toEqual(after);
        now += passMs;
        const view = store.view(now);
        const state = states[view.lsn]!;
        expect(view.lsn).toBe(states.findLastIndex((other) => other.visibleAt <= now));
        expect(values(view.records)).toEqual(state.ids);
        expect(view.exists).toBe(state.exists);
        expect(store.sortedIds(now)).toEqual([...state.ids.keys()].toSorted());
      }
    });
    fc.assert(law);
  });
});

describe("visibility", () => {
  it("comes after the delay: for fetch, query, list, stats and namespaces alike", async () => {
    const clock = frozenClock();
    const { send, emulator } = await startIndex({ clock, visibilityDelayMs: 1000 });
    const namespace = "x";
    const reply = await send("POST /vectors/upsert", { vectors: records("a", "b"), namespace });
    expect(written(reply)).toBe(1);
    // Durable at once.
    expect([...emulator.records("books", namespace).keys()]).toEqual(["a", "b"]);
    const reads = () =>
      Promise.all([
        send("GET /vectors/fetch?ids=a&namespace=x"),
        send("GET /vectors/list?namespace=x"),
        send("POST /query", { vector: [1, 1, 1], topK: 9, namespace }),
        send("POST /vectors/fetch_by_metadata", { filter: {}, namespace }),
      ]);
    const stats = async () => (await send("POST /describe_index_stats", {})).body;

    await clock.pass(999);
    for (const read of await reads()) {
      expect(seen(read)).toBe(0);
      expect(JSON.stringify(read.body)).not.toContain('"a"');
    }
    expect(await stats()).toMatchObject({ namespaces: {}, totalVectorCount: 0 });
    expect(await send("GET /namespaces/x")).toMatchObject({ status: 404 });
    expect(await send("GET /namespaces")).toMatchObject({ body: { namespaces: [] } });

    await clock.pass(1);
    for (const read of await reads()) {
      expect(seen(read)).toBe(1);
      expect(JSON.stringify(read.body)).toContain('"a"');
    }
    expect(await stats()).toMatchObject({ namespaces: { x: { vectorCount: 2 } } });
    expect(await send("GET /namespaces/x")).toMatchObject({ status: 200 });
  });

  it("is counted for each namespace by itself, by writes of every kind", async () => {
    const { send } = await startIndex();
    const upsert = { vectors: records("a") };
    expect(written(await send("POST /vectors/upsert", { ...upsert, namespace: "x" }))).toBe(1);
    expect(written(await send("POST /vectors/upsert", { ...upsert, namespace: "y" }))).toBe(1);
    const update = { id: "a", setMetadata: { page: 1 }, namespace: "x" };
    expect(written(await send("POST /vectors/update", update))).toBe(2);
    expect(written(await send("POST /vectors/delete", { ids: ["a"], namespace: "x" }))).toBe(3);
    expect(seen(await send("GET /vectors/fetch?ids=a&namespace=x"))).toBe(3);
    expect(seen(await send("GET /vectors/fetch?ids=a&namespace=y"))).toBe(1);
    expect(seen(await send("GET /vectors/fetch?ids=a&namespace=z"))).toBe(0);
  });

  it("keeps the order of writes when the delay becomes shorter", async () => {
    const clock = frozenClock();
    const { send, emulator } = await startIndex({ clock, visibilityDelayMs: 1000 });
    await send("POST /vectors/upsert", { vectors: [{ id: "a", values: [1, 0, 0] }] });
    emulator.delayVisibility(0);
    await send("POST /vectors/upsert", { vectors: [{ id: "a", values: [2, 0, 0] }] });
    expect(seen(await send("GET /vectors/fetch?ids=a"))).toBe(0);
    await clock.pass(1000);
    const reply = await send("GET /vectors/fetch?ids=a");
    expect(seen(reply)).toBe(2);
    expect(reply.body).toMatchObject({ vectors: { a: { values: [2, 0, 0] } } });
  });

  it("hides deletions too, while writes know of them", async () => {
    const clock = frozenClock();
    const { send, emulator } = await startIndex({ clock });
    await send("POST /vectors/upsert", { vectors: records("a"), namespace: "x" });
    emulator.delayVisibility(1000);
    expect(await send("DELETE /namespaces/x")).toMatchObject({ status: 200 });
    expect(await send("POST /vectors/delete", { ids: ["a"], namespace: "x" })).toMatchObject({
      status: 404,
    });
    const fetched = "GET /vectors/fetch?ids=a&namespace=x";
    expect((await send(fetched)).body).toMatchObject({ vectors: { a: {} } });
    await clock.pass(1000);
    expect((await send(fetched)).body).toMatchObject({ vectors: {} });
    expect(await send("POST /describe_index_stats", {})).toMatchObject({
      body: { namespaces: {} },
    });
    // The number does not begin again.
    expect(
      written(await send("POST /vectors/upsert", { vectors: records("a"), namespace: "x" })),
    ).toBe(3);
  });
});
