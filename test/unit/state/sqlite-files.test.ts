import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { localDisk } from "../../../src/sqlite/index.ts";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { faultOf, key, openForWriting, seen, signal, temporaryFolder } from "./support.ts";

/** A state file with a few thousand documents, closed. */
async function makeState(path: string, pipeline = "p"): Promise<void> {
  const store = sqliteStateStore({ path });
  const session = await openForWriting(store, pipeline);
  await session.commit(Array.from({ length: 2_000 }, (_, index) => seen(`document ${index}`, 1)));
  await store.close();
}

function alter(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

const spoiled: { name: string; code: string; says: RegExp; spoil(path: string): Promise<void> }[] =
  [
    {
      name: "a text file",
      code: "state.corrupt",
      says: /not a SQLite database.*adopt/,
      spoil: async (path) => writeFileSync(path, "dear diary, ".repeat(1_000)),
    },
    {
      name: "an empty file",
      code: "state.corrupt",
      says: /empty.*adopt/,
      spoil: async (path) => writeFileSync(path, ""),
    },
    {
      name: "a state cut in half",
      code: "state.corrupt",
      says: /damaged.*backup/,
      async spoil(path) {
        await makeState(path);
        truncateSync(path, Math.floor(statSync(path).size / 2));
      },
    },
    {
      name: "a state cut inside its header",
      code: "state.corrupt",
      says: /adopt/,
      async spoil(path) {
        await makeState(path);
        truncateSync(path, 60);
      },
    },
    {
      name: "a state whose first page is overwritten",
      code: "state.corrupt",
      says: /adopt/,
      async spoil(path) {
        await makeState(path);
        const bytes = readFileSync(path);
        bytes.fill(7, 0, 4_096);
        writeFileSync(path, bytes);
      },
    },
    {
      name: "another application's database",
      code: "state.foreign",
      says: /another application.*state\.path/,
      spoil: async (path) => alter(path, "CREATE TABLE customers (name); PRAGMA user_version = 1"),
    },
    {
      name: "a newer version's state",
      code: "state.foreign",
      says: /schema version 99, newer/,
      async spoil(path) {
        await makeState(path);
        alter(path, "PRAGMA user_version = 99");
      },
    },
    {
      name: "another pipeline's state",
      code: "state.foreign",
      says: /belongs to pipeline `other`.*previously: other/,
      spoil: (path) => makeState(path, "other"),
    },
    {
      name: "a folder",
      code: "state.foreign",
      says: /not a file/,
      spoil: async (path) => void mkdirSync(path),
    },
    {
      name: "a symlink to nowhere",
      code: "state.unwritable",
      says: /check the permissions/,
      spoil: async (path) => symlinkSync(`${path}.gone`, path),
    },
  ];

function contentOf(path: string): Buffer | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
}

describe.each(spoiled)("$name", ({ code, says, spoil }) => {
  test.each(["write", "read"] as const)(
    "is refused for %s with what to do, and stays as it is",
    async (mode) => {
      const path = join(temporaryFolder(), "state.sqlite");
      await spoil(path);
      const before = contentOf(path);
      const store = sqliteStateStore({ path });
      const opening = store.open({ pipeline: "p", mode: mode as "write" }, signal);
      const fault = await faultOf(opening);
      expect(fault.code).toBe(code);
      expect(fault.message).toMatch(says);
      expect(contentOf(path)).toStrictEqual(before);
      // The lease is free again: the second opening meets the same fault, not `state.locked`.
      expect((await faultOf(store.open({ pipeline: "p", mode: "write" }, signal))).code).toBe(code);
    },
  );
});

test("damage in the middle of the file is a fault when it is met", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  await makeState(path);
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4_096 * 8);
  writeFileSync(path, bytes);
  const reading = (async () => {
    const session = await openForWriting(sqliteStateStore({ path }));
    for await (const page of session.pages({})) void page;
  })();
  expect((await faultOf(reading)).code).toBe("state.corrupt");
});

test("a renamed pipeline takes its state over, once it says its former name", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  await makeState(path, "old");
  const store = sqliteStateStore({ path, pipelineFile: "/etc/new.yaml" });
  const refused = await faultOf(store.open({ pipeline: "new", mode: "write" }, signal));
  expect(refused.message).toContain("`previously: old` to `/etc/new.yaml`");
  const renamed = { pipeline: "new", previously: "old" } as const;
  const reader = await store.open({ ...renamed, mode: "read" }, signal);
  const stateId = reader?.stateId;
  const session = await store.open({ ...renamed, mode: "write" }, signal);
  expect(session.stateId).toBe(stateId);
  expect(await session.count({})).toBe(2_000);
  await store.close();
  expect((await faultOf(store.open({ pipeline: "old", mode: "write" }, signal))).code).toBe(
    "state.foreign",
  );
  const later = await openForWriting(store, "new");
  expect(await later.count({})).toBe(2_000);
});

test("reading makes nothing where no state is", async () => {
  const folder = temporaryFolder();
  const store = sqliteStateStore({ path: join(folder, "deep", "state.sqlite") });
  expect(await store.open({ pipeline: "p", mode: "read" }, signal)).toBeUndefined();
  expect(existsSync(join(folder, "deep"))).toBe(false);
});

test.skipIf(process.platform === "win32")(
  "only the owner may read the files and the folder that a state makes",
  async () => {
    const folder = join(temporaryFolder(), "deep", ".sluice");
    const path = join(folder, "state.sqlite");
    const session = await openForWriting(sqliteStateStore({ path }));
    await session.commit([seen("a", 1)]);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) {
      expect((statSync(path + suffix).mode & 0o777).toString(8)).toBe("600");
    }
    expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
  },
);

test("what a deleted state left behind does not come back in the next one", async () => {
  const path = join(temporaryFolder(), "state.sqlite");
  const kept = join(temporaryFolder(), "kept-wal");
  const first = sqliteStateStore({ path });
  const session = await openForWriting(first);
  await session.commit([seen("ghost", 1)]);
  linkSync(`${path}-wal`, kept);
  await first.close();
  rmSync(path);
  writeFileSync(`${path}-wal`, readFileSync(kept));
  const second = await openForWriting(sqliteStateStore({ path }));
  expect(await second.lookup([key("ghost")])).toStrictEqual([undefined]);
  expect(second.stateId).not.toBe(session.stateId);
});

test.each([
  [0x6969, "NFS"],
  [0xfe534d42, "SMB2"],
  [0xff534d42 | 0, "CIFS"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
])("a file system of type %i is refused as %s before anything is written", async (type, name) => {
  const folder = temporaryFolder();
  const disk = { ...localDisk, fileSystemType: () => type };
  const store = sqliteStateStore({ path: join(folder, "deep", "state.sqlite"), disk });
  const fault = await faultOf(store.open({ pipeline: "p", mode: "write" }, signal));
  expect(fault.code).toBe("state.network");
  expect(fault.message).toContain(name);
  expect(existsSync(join(folder, "deep"))).toBe(false);
});

test("the type of the file system that is asked for is that of the folder behind a link", async () => {
  const folder = temporaryFolder();
  const real = join(folder, "real");
  mkdirSync(real);
  symlinkSync(real, join(folder, "link"));
  const asked: string[] = [];
  const disk = {
    ...localDisk,
    fileSystemType(path: string) {
      asked.push(path);
      return undefined;
    },
  };
  await openForWriting(sqliteStateStore({ path: join(folder, "link", "state.sqlite"), disk }));
  expect(asked).toContain(real);
});

test("a path beneath a file is a fault that says what to check", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const store = sqliteStateStore({ path: join(file, "state.sqlite") });
  const fault = await faultOf(store.open({ pipeline: "p", mode: "write" }, signal));
  expect(fault.code).toBe("state.unwritable");
  expect(fault.message).toMatch(/permissions/);
});
