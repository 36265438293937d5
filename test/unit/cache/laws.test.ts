import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as vitest from "vitest";
import { memoryCache, sqliteCache, type Storage } from "../../../src/cache/index.ts";
import type { EmbeddingCache } from "../../../src/contracts/index.ts";
import { type CachePlace, cacheLaws } from "../../../src/testkit/cache-laws.ts";
import { registerLaws } from "../../../src/testkit/run-laws.ts";
import { temporaryFolder } from "./support.ts";

const maxMb = 1;

/** A cache file. A crash moves the place on to a copy of what was written, which nobody holds open. */
class SqlitePlace implements CachePlace {
  readonly #folder = temporaryFolder();
  readonly #caches: EmbeddingCache[] = [];
  readonly #storage: Storage;
  #incarnation = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get path(): string {
    return join(this.#folder, `${this.#incarnation}.sqlite`);
  }

  async open(): Promise<EmbeddingCache> {
    const cache = sqliteCache({ path: this.path, maxMb, storage: this.#storage });
    this.#caches.push(cache);
    return cache;
  }

  crash(): void {
    const from = this.path;
    this.#incarnation += 1;
    for (const suffix of ["", "-wal"]) {
      if (existsSync(from + suffix)) cpSync(from + suffix, this.path + suffix);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.close()));
  }
}

function sqlite(storage: Storage, minCosine?: number) {
  return cacheLaws<SqlitePlace>({
    maxBytes: maxMb * 1024 * 1024,
    ...(minCosine === undefined ? {} : { minCosine }),
    async place(context) {
      const place = new SqlitePlace(storage);
      context.defer(() => place.close());
      return place;
    },
    async crash(place) {
      place.crash();
    },
    async tamper(place, key, bytes) {
      const database = new DatabaseSync(place.path);
      const sql = "UPDATE vectors SET vector = ? WHERE id = (SELECT id FROM entries WHERE key = ?)";
      const { changes } = database.prepare(sql).run(bytes, Buffer.from(key, "hex"));
      database.close();
      vitest.expect(changes).toBe(1);
    },
  });
}

const memory = cacheLaws({
  maxBytes: maxMb * 1024 * 1024,
  async place(context) {
    const cache = memoryCache({ maxMb });
    context.defer(() => cache.close());
    return { open: async () => cache };
  },
  notSupported: {
    crash: "memory does not outlive the process",
    tamper: "nobody else reaches the memory",
  },
});

const runner = { describe: vitest.describe, it: vitest.it };
registerLaws(sqlite("float32"), runner, { title: "the sqlite cache" });
registerLaws(sqlite("float16", 0.99999), runner, { title: "the sqlite cache in float16" });
registerLaws(memory, runner, { title: "the memory cache" });
