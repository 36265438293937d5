import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { StateSession } from "../../../src/contracts/index.ts";
import {
  type Disk,
  Lease,
  localDisk,
  openForWriting as openDatabase,
} from "../../../src/sqlite/index.ts";
import { WalSync } from "../../../src/sqlite/index.ts";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { stateKind } from "../../../src/state/schema.ts";
import { SqliteSession } from "../../../src/state/sqlite-session.ts";
import { faultOf, key, openForWriting, seen, signal, temporaryFolder, uuid } from "./support.ts";

/** A session whose syncs, after its opening, end when the test says so. */
async function openOnSlowDisk() {
  const syncs: { resolve(): void; reject(error: Error): void }[] = [];
  let slow = false;
  const disk: Disk = {
    ...localDisk,
    sync(file) {
      if (!slow) return localDisk.sync(file);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      syncs.push({ resolve, reject });
      return promise;
    },
  };
  const store = sqliteStateStore({ path: join(temporaryFolder(), "state.sqlite"), disk });
  const session = await openForWriting(store);
  slow = true;
  return { syncs, session };
}

/** Notes the names of promises as they resolve. */
function watch(log: string[], name: string, promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => log.push(name),
    (error: { code?: string }) => log.push(`${name}: ${error.code}`),
  );
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("a durable commit resolves after a sync that began later, and one sync serves all that wait", async () => {
  const { syncs, session } = await openOnSlowDisk();
  const log: string[] = [];
  void watch(log, "first", session.commit([seen("a", 1)]));
  await turns();
  expect(syncs).toHaveLength(1);
  for (const name of ["second", "third"]) void watch(log, name, session.commit([seen(name, 1)]));
  void watch(log, "relaxed", session.commit([seen("b", 1)], { durable: false }));
  await turns();
  void watch(log, "fourth", session.commit([seen("d", 1)]));
  await turns();
  expect(log).toStrictEqual(["relaxed"]);
  expect(syncs).toHaveLength(1);
  // What is committed can be read, whether or not it is durable yet.
  expect(await session.count({})).toBe(5);
  syncs[0]?.resolve();
  await turns();
  expect(log).toStrictEqual(["relaxed", "first"]);
  expect(syncs).toHaveLength(2);
  syncs[1]?.resolve();
  await turns();
  expect(log.slice(2)).toStrictEqual(["second", "third", "fourth"]);
  const closing = session.close();
  syncs[2]?.resolve();
  await closing;
});

test("a failed sync rejects the commits that waited and every later durable one", async () => {
  const { syncs, session } = await openOnSlowDisk();
  const log: string[] = [];
  void watch(log, "first", session.commit([seen("a", 1)]));
  await turns();
  void watch(log, "second", session.commit([seen("b", 1)]));
  await turns();
  syncs[0]?.reject(Object.assign(new Error("i/o"), { code: "EIO", syscall: "fdatasync" }));
  await turns();
  await watch(log, "third", session.commit([seen("c", 1)]));
  expect(log).toStrictEqual(["first", "second", "third"].map((n) => `${n}: state.unwritable`));
  expect(syncs).toHaveLength(1);
});

test("a read sees a commit that was called before it, awaited or not", async () => {
  const session = await openForWriting(
    sqliteStateStore({ path: join(temporaryFolder(), "state.sqlite") }),
  );
  const committing = session.commit([seen("a", 3)]);
  expect((await session.lookup([key("a")]))[0]?.seen).toBe(3);
  await committing;
});

test("a commit that is refused takes no other of its group with it", async () => {
  const session = await openForWriting(
    sqliteStateStore({ path: join(temporaryFolder(), "state.sqlite") }),
  );
  await session.commit([{ kind: "begin", key: key("held"), target: "t", ids: [uuid(1)] }]);
  const log: string[] = [];
  await Promise.all([
    watch(log, "before", session.commit([seen("a", 1)])),
    watch(
      log,
      "bad",
      session.commit([
        seen("half", 1),
        { kind: "begin", key: key("half"), target: "new", ids: [] },
        { kind: "forget", key: key("held") },
      ]),
    ),
    watch(log, "after", session.commit([{ kind: "begin", key: key("b"), target: "new", ids: [] }])),
  ]);
  expect(log.toSorted()).toStrictEqual(["after", "bad: ERR_ASSERTION", "before"]);
  const rows = await session.lookup([key("a"), key("half"), key("b")]);
  expect(rows.map((row) => row && [...row.targets.keys()])).toStrictEqual([[], undefined, ["new"]]);
});

/** A session on a file that may not grow beyond its size and a few pages: a full disk, as SQLite sees it. */
async function cramped(path: string): Promise<{ session: StateSession; makeRoom(): void }> {
  await sqliteStateStore({ path })
    .open({ pipeline: "p", mode: "write" }, signal)
    .then((s) => s.close());
  const lease = Lease.acquire(`${path}.lock`, 0)!;
  const database = openDatabase(stateKind, path);
  database.exec("UPDATE meta SET value = value + 1 WHERE key = 'fence'");
  const log = await WalSync.open(path, localDisk);
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  database.exec(`PRAGMA max_page_count = ${pages + 4}`);
  const session = new SqliteSession(database, path, { lease, log });
  onTestFinished(() => session.close());
  return { session, makeRoom: () => database.exec("PRAGMA max_page_count = 100000") };
}

test("a full disk rejects the whole group, loses nothing, and passes when there is room", async () => {
  const { session, makeRoom } = await cramped(join(temporaryFolder(), "state.sqlite"));
  await session.commit([seen("a", 1)]);
  const large = Array.from({ length: 2_000 }, (_, index) => seen(`document ${index}`, 1));
  const [small, big] = [session.commit([seen("a", 2)]), session.commit(large)];
  const faults = await Promise.all([faultOf(small), faultOf(big)]);
  expect(faults.map((fault) => fault.code)).toStrictEqual(["state.full", "state.full"]);
  expect(faults[1].message).toMatch(/make room and run again/);
  expect((await session.lookup([key("a")]))[0]?.seen).toBe(1);
  makeRoom();
  await session.commit(large);
  expect(await session.count({})).toBe(2_001);
});

test.skipIf(process.platform === "win32")(
  "a file that the system lets grow no further is a fault, and what was committed before stays",
  async () => {
    const path = join(temporaryFolder(), "state.sqlite");
    const index = new URL("../../../src/state/index.ts", import.meta.url).href;
    const script = `
      const { sqliteStateStore } = await import(${JSON.stringify(index)});
      const store = sqliteStateStore({ path: ${JSON.stringify(path)} });
      const session = await store.open({ pipeline: "p", mode: "write" }, new AbortController().signal);
      let number = 0;
      try {
        for (; ; number += 1) {
          const key = { source: "docs", id: "document " + number + "x".repeat(500) };
          await session.commit([{ kind: "document", key, set: { seen: 1 } }]);
        }
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, number }));
        process.exit();
      }`;
    const command = `ulimit -f 400; exec "$0" --input-type=module --eval "$1"`;
    const child = spawnSync("bash", ["-c", command, process.execPath, script], {
      encoding: "utf8",
    });
    const { code, number } = JSON.parse(child.stdout) as { code: string; number: number };
    expect(code).toBe("state.unwritable");
    expect(number).toBeGreaterThan(10);
    const session = await openForWriting(sqliteStateStore({ path }));
    expect(await session.count({})).toBe(number);
  },
);
