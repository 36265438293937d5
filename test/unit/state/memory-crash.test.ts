import { expect, test } from "vitest";
import { memoryStateStore } from "../../../src/state/index.ts";
import { faultOf, key, openForWriting, seen, signal } from "./support.ts";

const write = { pipeline: "p", mode: "write" } as const;

test("a crash frees the lease, keeps every commit, and leaves the old session dead", async () => {
  const store = memoryStateStore();
  const session = await openForWriting(store);
  await session.commit([seen("a", 1)], { durable: false });
  expect((await faultOf(store.open(write, signal))).code).toBe("state.locked");
  store.crash();
  expect(session.lost.aborted).toBe(true);
  expect((await faultOf(session.commit([seen("b", 1)]))).code).toBe("state.lost");
  const next = await store.open(write, signal);
  expect(next.fence).toBe(2);
  expect(await next.count({})).toBe(1);
});

test("a loss of power takes back exactly what no durable commit followed", async () => {
  const store = memoryStateStore();
  const session = await openForWriting(store);
  await session.commit([seen("a", 1)], { durable: false });
  await session.commit([seen("b", 1)]);
  await session.commit([seen("a", 2), seen("c", 2)], { durable: false });
  await session.commit([{ kind: "forget", key: key("b") }], { durable: false });
  store.crash({ losePower: true });
  const next = await store.open(write, signal);
  const rows = await next.lookup([key("a"), key("b"), key("c")]);
  expect(rows.map((row) => row?.seen)).toStrictEqual([1, 1, undefined]);
  expect(next.stateId).toBe(session.stateId);
});

test("a commit that is refused changes nothing, also not by its first half", async () => {
  const store = memoryStateStore();
  const session = await openForWriting(store);
  await session.commit([{ kind: "begin", key: key("a"), target: "t", ids: [] }]);
  await expect(session.commit([seen("b", 1), { kind: "forget", key: key("a") }])).rejects.toThrow(
    "which 1 targets still hold",
  );
  expect(await session.count({})).toBe(1);
});
