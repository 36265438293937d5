import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqliteCache, type Storage } from "../../../src/cache/index.ts";
import { CacheFile } from "../../../src/cache/cache-file.ts";
import { cacheKind } from "../../../src/cache/schema.ts";
import type { EmbeddingCache } from "../../../src/contracts/index.ts";
import {
  createDatabase,
  databaseFault,
  localDisk,
  openForWriting,
} from "../../../src/sqlite/index.ts";
import { entries, faultOf, keyOf, temporaryFolder } from "./support.ts";

function openCache(path: string, maxMb = 8): EmbeddingCache {
  const cache = sqliteCache({ path, maxMb });
  onTestFinished(() => cache.close());
  return cache;
}

async function fillCache(path: string): Promise<void> {
  const cache = sqliteCache({ path, maxMb: 8 });
  await cache.put(entries(0, 500));
  await cache.close();
}

const spoiled: { name: string; says: RegExp; spoil(path: string): Promise<void> }[] = [
  {
    name: "a text file",
    says: /not a SQLite database.*move it away/,
    spoil: async (path) => writeFileSync(path, "dear diary, ".repeat(1_000)),
  },
  {
    name: "an empty file",
    says: /empty.*move it away/,
    spoil: async (path) => writeFileSync(path, ""),
  },
  {
    name: "a cache cut in half",
    says: /damaged.*move it away/,
    async spoil(path) {
      await fillCache(path);
      truncateSync(path, Math.floor(statSync(path).size / 2));
    },
  },
  {
    name: "another application's database",
    says: /another application.*cache\.path/,
    async spoil(path) {
      const database = new DatabaseSync(path);
      database.exec("CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB)");
      database.close();
    },
  },
  {
    name: "a newer version's cache",
    says: /schema version 99, newer/,
    async spoil(path) {
      await fillCache(path);
      const database = new DatabaseSync(path);
      database.exec("PRAGMA user_version = 99");
      database.close();
    },
  },
];

describe.each(spoiled)("$name", ({ says, spoil }) => {
  test("is refused by every call with what to do, and stays as it is", async () => {
    const path = join(temporaryFolder(), "cache.sqlite");
    await spoil(path);
    const before = readFileSync(path);
    const cache = openCache(path);
    const calls = [
      () => cache.get([keyOf(1)], 4),
      () => cache.put(entries(1, 1)),
      () => cache.stats(),
      () => cache.clear(),
    ];
    for (const call of calls) {
      const fault = await faultOf(call());
      expect(fault.code).toBe("cache.unusable");
      expect(fault.message).toMatch(says);
    }
    expect(readFileSync(path)).toStrictEqual(before);
  });
});

test("clearing gives the space back to the disk", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const cache = openCache(path);
  await cache.put(entries(0, 1_000));
  const { bytes } = await cache.stats();
  expect(bytes).toBeGreaterThan(1_000 * 4_096);
  await cache.clear();
  const size = statSync(path).size + statSync(`${path}-wal`).size;
  expect(size).toBeLessThan(100_000);
});

test("the file never grows beyond its bound by more than a batch", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const cache = openCache(path, 2);
  const batchBytes = 64 * 1024 * 4 * 1.3;
  for (let start = 0; start < 2_000; start += 64) {
    await cache.put(entries(start, 64));
    expect((await cache.stats()).bytes).toBeLessThanOrEqual(2 * 1024 * 1024);
  }
  await cache.close();
  expect(statSync(path).size).toBeLessThanOrEqual(2 * 1024 * 1024 + batchBytes);
});

test("what was used last stays when room is made, whoever used it and in whatever order", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const first = openCache(path, 2);
  await first.put(entries(0, 300));
  const used = [299, 7, 150].map(keyOf);
  const reader = openCache(path, 2);
  await reader.get(used, 1024);
  await reader.close();
  await first.put(entries(1_000, 300));
  expect([...(await first.get(used, 1024)).keys()].toSorted()).toStrictEqual(used.toSorted());
  expect((await first.get([0, 1, 2, 3].map(keyOf), 1024)).size).toBe(0);
});

test("a batch larger than the whole cache leaves a cache within its bound", async () => {
  const cache = openCache(join(temporaryFolder(), "cache.sqlite"), 1);
  await cache.put(entries(0, 1_000));
  const { bytes, maxBytes = 0, entries: count } = await cache.stats();
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect(count).toBeGreaterThan(100);
});

test("vectors of different lengths live side by side and push each other out", async () => {
  const cache = openCache(join(temporaryFolder(), "cache.sqlite"), 2);
  for (let start = 0; start < 20_000; start += 1_000) await cache.put(entries(start, 1_000, 16));
  await cache.put(entries(50_000, 100, 4_096));
  const { bytes, maxBytes = 0 } = await cache.stats();
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect((await cache.get([keyOf(50_099)], 4_096)).size).toBe(1);
  expect((await cache.get([keyOf(19_999)], 16)).size).toBe(1);
});

test("an entry that is damaged is deleted when it is met", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const cache = openCache(path);
  await cache.put(entries(0, 3, 8));
  const broken = new Float32Array(8).fill(1).with(3, NaN);
  const database = new DatabaseSync(path);
  const change = database.prepare("UPDATE vectors SET vector = ? WHERE id = ?");
  change.run(new Uint8Array(broken.buffer), 2);
  change.run(Buffer.alloc(31), 3);
  database.close();
  expect((await cache.get([0, 1, 2].map(keyOf), 8)).size).toBe(1);
  expect((await cache.stats()).entries).toBe(1);
});

test("only the owner may read the cache", async () => {
  const path = join(temporaryFolder(), "deep", "cache.sqlite");
  await openCache(path).put(entries(0, 1));
  if (process.platform === "win32") return;
  for (const suffix of ["", "-wal", "-shm"]) {
    expect((statSync(path + suffix).mode & 0o777).toString(8)).toBe("600");
  }
});

test("a network file system is refused before anything is written", async () => {
  const folder = temporaryFolder();
  const disk = { ...localDisk, fileSystemType: () => 0x6969 };
  const cache = sqliteCache({ path: join(folder, "deep", "cache.sqlite"), maxMb: 1, disk });
  const fault = await faultOf(cache.put(entries(0, 1)));
  expect(fault.code).toBe("state.network");
  expect(fault.message).toContain("NFS");
  expect(existsSync(join(folder, "deep"))).toBe(false);
});

test("a full disk rejects the batch whole, and the cache goes on when there is room", () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  createDatabase(cacheKind, path);
  const database = openForWriting(cacheKind, path);
  const file = new CacheFile(database);
  onTestFinished(() => file.close());
  file.put(entries(0, 5), 2 ** 30);
  database.exec("PRAGMA max_page_count = 30");
  let fault: unknown;
  try {
    file.put(entries(5, 200), 2 ** 30);
  } catch (error) {
    fault = databaseFault(error, cacheKind, path);
  }
  expect(fault).toMatchObject({ code: "cache.full" });
  expect(file.count()).toBe(5);
  database.exec("PRAGMA max_page_count = 100000");
  file.put(entries(5, 200), 2 ** 30);
  expect(file.count()).toBe(205);
});

test("a deleted cache begins anew, without what its log still held", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const old = openCache(path);
  await old.put(entries(0, 10, 4));
  rmSync(path);
  const next = openCache(path);
  await next.put(entries(10, 10, 4));
  expect((await next.stats()).entries).toBe(10);
});

test("a cache that is only read makes no file, and finds what another process makes meanwhile", async () => {
  const path = join(temporaryFolder(), "later", "cache.db");
  const cache = openCache(path);
  expect((await cache.get([keyOf(1)], 8)).size).toBe(0);
  expect(await cache.stats()).toEqual({ entries: 0, bytes: 0, maxBytes: 8 * 1024 * 1024 });
  await cache.clear();
  expect(existsSync(join(path, ".."))).toBe(false);
  const other = openCache(path);
  const stored = entries(0, 1);
  await other.put(stored);
  const [key = "", vector] = [...stored][0] ?? [];
  expect((await cache.get([key], vector?.length ?? 0)).get(key)).toEqual(vector);
});

test.each([512, 768, 1_024, 1_536, 2_560, 4_096])(
  "float16 takes about half the room of float32 with %i numbers",
  async (length) => {
    const folder = temporaryFolder();
    const stored = entries(0, 100, length);
    const sizes: number[] = [];
    for (const storage of ["float32", "float16"] as const) {
      const cache = sqliteCache({ path: join(folder, storage), maxMb: 64, storage });
      await cache.put(stored);
      sizes.push((await cache.stats()).bytes);
      expect(await cache.get([...stored.keys()], length)).toEqual(stored);
      await cache.close();
    }
    const [whole = 0, half = 0] = sizes;
    expect(half / whole).toBeLessThan(0.68);
    expect(half / 100 / (length * 2)).toBeLessThan(1.5);
  },
);

function vectorOf(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(index + 1));
}

test("an entry that is replaced by one of another length or storage is read back whole", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const key = keyOf(1);
  for (const length of [512, 513, 1_024, 2_000, 512]) {
    for (const storage of ["float32", "float16"] as const) {
      const cache = sqliteCache({ path, maxMb: 8, storage });
      await cache.put(new Map([[key, vectorOf(length)]]));
      const found = (await cache.get([key], length)).get(key);
      const error = vectorOf(length).map((value, index) => value - (found?.[index] ?? NaN));
      expect(Math.max(...error.map(Math.abs))).toBeLessThan(storage === "float32" ? 1e-30 : 1e-3);
      expect((await cache.stats()).entries).toBe(1);
      await cache.close();
    }
  }
});

test("a cache changed to float32 finds its own entries only, and one of float16 those of both", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const open = (storage: Storage): EmbeddingCache => {
    const cache = sqliteCache({ path, maxMb: 64, storage });
    onTestFinished(() => cache.close());
    return cache;
  };
  const stored = entries(0, 1_000, 768);
  const keys = [...stored.keys()];
  const coarse = open("float16");
  await coarse.put(stored);

  const changed = open("float32");
  expect((await changed.get(keys, 768)).size).toBe(0);
  expect((await changed.stats()).entries).toBe(1_000);
  const some = keys.slice(0, 10);
  await changed.put(new Map([...stored].slice(0, 10)));
  expect([...(await changed.get(keys, 768)).keys()]).toEqual(some);
  expect((await coarse.get(keys, 768)).size).toBe(1_000);
  expect((await coarse.stats()).entries).toBe(1_000);
});
