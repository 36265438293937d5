import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { memoryStateStore, sqliteStateStore } from "../../../src/state/index.ts";
import { faultOf, key, openForWriting, seen, signal, temporaryFolder } from "./support.ts";

const write = { pipeline: "p", mode: "write" } as const;
const read = { pipeline: "p", mode: "read" } as const;

/** Starts a process that opens the state for writing, then does this with `session`. */
function start(path: string, body: string): ChildProcess {
  const index = new URL("../../../src/state/index.ts", import.meta.url).href;
  const script = `
    const { sqliteStateStore } = await import(${JSON.stringify(index)});
    const store = sqliteStateStore({ path: ${JSON.stringify(path)} });
    try {
      const signal = new AbortController().signal;
      const session = await store.open({ pipeline: "p", mode: "write" }, signal);
      ${body}
    } catch (error) {
      process.stdout.write(error.code);
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function output(child: ChildProcess): Promise<string> {
  const [chunk]: unknown[] = await once(child.stdout!, "data");
  return String(chunk);
}

const commitAndHold = `
  const key = { source: "docs", id: "child" };
  await session.commit([{ kind: "document", key, set: { seen: 7 } }], { durable: false });
  process.stdout.write("held");
  setInterval(() => undefined, 60_000);`;

test("a killed process leaves the lease free at once and its commits in place", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  const child = start(path, commitAndHold);
  expect(await output(child)).toBe("held");
  const store = sqliteStateStore({ path });
  onTestFinished(() => store.close());

  const locked = await faultOf(store.open(write, signal));
  expect(locked.code).toBe("state.locked");
  expect(locked.message).toContain(`process ${child.pid}, started 20`);

  const reader = await store.open(read, signal);
  expect((await reader!.lookup([key("child")]))[0]?.seen).toBe(7);

  child.kill("SIGKILL");
  await once(child, "exit");
  const session = await store.open(write, signal);
  expect(session.fence).toBe(reader!.fence + 1);
  expect((await session.lookup([key("child")]))[0]?.seen).toBe(7);
});

test("a lease is held until its process ends, and asking in between takes it from nobody", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  const store = sqliteStateStore({ path });
  onTestFinished(() => store.close());
  expect(await store.isHeld()).toBe(false);
  const child = start(path, commitAndHold);
  expect(await output(child)).toBe("held");
  expect(await store.isHeld()).toBe(true);
  expect(await store.isHeld()).toBe(true);
  expect((await faultOf(store.open(write, signal))).code).toBe("state.locked");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await store.isHeld()).toBe(false);
});

test("asking whether a lease is held, over and over, never keeps a run from taking it", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  await (await openForWriting(sqliteStateStore({ path }))).close();
  const asking = start(
    path,
    `await session.close();
    process.stdout.write("asks");
    const until = Date.now() + 60_000;
    while (Date.now() < until) await store.isHeld();`,
  );
  expect(await output(asking)).toBe("asks");
  for (let turn = 0; turn < 30; turn += 1) {
    const session = await openForWriting(sqliteStateStore({ path }));
    await session.close();
  }
});

test("looking at a held state from the same process does not free its lease for others", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  const first = await openForWriting(sqliteStateStore({ path }));
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const other = sqliteStateStore({ path });
    const fault = await faultOf(other.open(write, signal));
    expect(fault.code).toBe("state.locked");
    expect(fault.message).toContain(`process ${process.pid}`);
    const reader = await other.open(read, signal);
    expect(reader?.fence).toBe(first.fence);
    await other.close();
  }
  expect(await output(start(path, commitAndHold))).toBe("state.locked");
  await first.close();
  expect(await output(start(path, commitAndHold))).toBe("held");
});

test("two names of one file have one lease", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "state.sqlite");
  await openForWriting(sqliteStateStore({ path }));
  symlinkSync(path, join(folder, "alias.sqlite"));
  symlinkSync(folder, join(folder, "here"));
  for (const name of ["alias.sqlite", "here/state.sqlite"]) {
    const fault = await faultOf(sqliteStateStore({ path: join(folder, name) }).open(write, signal));
    expect(fault.code).toBe("state.locked");
  }
});

test("the fence grows with every writing session, and reading sessions keep nobody out", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  for (const store of [sqliteStateStore({ path }), memoryStateStore()]) {
    const fences: number[] = [];
    for (let number = 0; number < 3; number += 1) {
      const session = await openForWriting(store);
      fences.push(session.fence);
      expect((await store.open(read, signal))?.stateId).toBe(session.stateId);
      await session.close();
      await session.close();
    }
    expect(fences).toStrictEqual([1, 2, 3]);
  }
});

test.each([
  ["the state file is deleted", (path: string) => rmSync(path)],
  ["the state file is moved away", (path: string) => renameSync(path, `${path}.bak`)],
  ["the lease's file is deleted", (path: string) => rmSync(`${path}.lock`)],
])("nothing more is written once %s, and `lost` aborts", async (_, harm) => {
  const path = join(temporaryFolder(), "state.sqlite");
  const session = await openForWriting(sqliteStateStore({ path }));
  await session.commit([seen("a", 1)]);
  harm(path);
  const fault = await faultOf(session.commit([seen("b", 1)]));
  expect(fault.code).toBe("state.lost");
  expect(session.lost.aborted).toBe(true);
  expect(await session.lookup([key("b")])).toStrictEqual([undefined]);
});

test("a session whose fence has been passed writes nothing more", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  const old = await openForWriting(sqliteStateStore({ path }));
  // The way to two writers: somebody removed the lease's file while it was held.
  rmSync(`${path}.lock`);
  const heir = await openForWriting(sqliteStateStore({ path }));
  expect((await faultOf(old.commit([seen("old", 1)]))).message).toContain("taken it over");
  await heir.commit([seen("heir", 1)]);
  await old.close();
  await heir.commit([seen("heir", 2)]);
  expect(await heir.count({})).toBe(1);
});

test("a closed session and a dead one write nothing", async () => {
  const sqlite = sqliteStateStore({ path: join(temporaryFolder(), "state.sqlite") });
  const memory = memoryStateStore();
  for (const store of [sqlite, memory]) {
    const session = await openForWriting(store);
    await session.close();
    expect((await faultOf(session.commit([seen("a", 1)]))).code).toBe("state.lost");
    expect((await faultOf(session.lookup([key("a")]))).code).toBe("state.lost");
  }
});
