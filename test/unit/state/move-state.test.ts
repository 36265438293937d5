import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { faultOf, key, openForWriting, seen, signal, temporaryFolder } from "./support.ts";

const renamed = { pipeline: "new", previously: "old" } as const;

/** A folder with the state of the pipeline `old`, and the store of the pipeline that it was renamed to. */
async function renamedPlace() {
  const folder = temporaryFolder();
  const paths = { old: join(folder, "old.sqlite"), new: join(folder, "new.sqlite") };
  const old = sqliteStateStore({ path: paths.old });
  await (await openForWriting(old, "old")).commit([seen("a", 7)]);
  return {
    folder,
    paths,
    old,
    store: sqliteStateStore({ path: paths.new, formerPath: paths.old }),
  };
}

test("the first writer under the new name moves the state, whole and alone", async () => {
  const { folder, paths, old, store } = await renamedPlace();
  await old.close();
  const reader = await store.open({ ...renamed, mode: "read" }, signal);
  expect((await reader?.lookup([key("a")]))?.[0]?.seen).toBe(7);
  await reader?.close();
  expect(existsSync(paths.new)).toBe(false);
  const session = await store.open({ ...renamed, mode: "write" }, signal);
  expect(session.stateId).toBe(reader?.stateId);
  expect((await session.lookup([key("a")]))[0]?.seen).toBe(7);
  await store.close();
  const left = readdirSync(folder).filter((name) => !name.endsWith(".lock"));
  expect(left).toStrictEqual(["new.sqlite"]);
  const later = await openForWriting(sqliteStateStore({ path: paths.new }), "new");
  expect((await later.lookup([key("a")]))[0]?.seen).toBe(7);
});

test("a state that a run under the old name holds is not moved", async () => {
  const { paths, store, old } = await renamedPlace();
  const fault = await faultOf(store.open({ ...renamed, mode: "write" }, signal));
  expect(fault.code).toBe("state.locked");
  expect(fault.message).toContain("`old`");
  expect(existsSync(paths.new)).toBe(false);
  await old.close();
  const session = await store.open({ ...renamed, mode: "write" }, signal);
  expect((await session.lookup([key("a")]))[0]?.seen).toBe(7);
  await store.close();
});

test("another pipeline's state under the former name is refused, and stays as it is", async () => {
  const { paths, store, old } = await renamedPlace();
  await old.close();
  const before = readFileSync(paths.old);
  const wrong = { pipeline: "new", previously: "older", mode: "write" } as const;
  expect((await faultOf(store.open(wrong, signal))).code).toBe("state.foreign");
  expect(existsSync(paths.new)).toBe(false);
  expect(readFileSync(paths.old)).toStrictEqual(before);
});

test("a state under the new name stands, whatever lies under the former one", async () => {
  const { paths, store, old } = await renamedPlace();
  await old.close();
  const own = sqliteStateStore({ path: paths.new });
  const { stateId } = await openForWriting(own, "new");
  await own.close();
  const session = await store.open({ ...renamed, mode: "write" }, signal);
  expect(session.stateId).toBe(stateId);
  expect(existsSync(paths.old)).toBe(true);
  await store.close();
});
