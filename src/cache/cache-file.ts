import type { DatabaseSync } from "node:sqlite";
import { assert } from "../faults/index.ts";
import { Statements } from "../sqlite/index.ts";
import { tailBytes } from "./page-room.ts";
import { decodeVector, encodeVector, type Storage } from "./vectors.ts";

interface FoundRow {
  readonly position: number;
  readonly used: number;
  readonly vector: Uint8Array;
  readonly tail: Uint8Array | null;
}

/** Keys whose use is noted in memory before a transaction writes it. */
const maxTouched = 4_096;

/** An open cache file, synchronously: every method is at most one transaction. */
export class CacheFile {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #pageBytes: number;
  readonly #storage: Storage;
  /** Keys used since the last write of `used`. */
  readonly #touched = new Set<string>();
  /** The `used` of that write: what has it, and nothing is newer, need not be noted again. */
  #touchedAt = 0;

  constructor(database: DatabaseSync, storage: Storage = "float32") {
    this.#database = database;
    this.#storage = storage;
    this.#statements = new Statements(database);
    this.#pageBytes = this.#pragma("page_size");
  }

  /** Bytes of all pages in use; the file may be larger by pages that the next entries fill. */
  get bytes(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pageBytes;
  }

  count(): number {
    return this.#statements.of<{ n: number }>("SELECT count(*) AS n FROM entries").get()?.n ?? 0;
  }

  get(keys: readonly string[], dimension: number): Map<string, Float32Array> {
    const found = new Map<string, Float32Array>();
    const broken: string[] = [];
    const newest = this.#newest();
    const rows = this.#statements.of<FoundRow>(findVectors).all(JSON.stringify(keys));
    for (const { position, used, vector: body, tail } of rows) {
      const key = keys[position] ?? "";
      const bytes = tail === null ? body : Buffer.concat([body, tail]);
      const vector = decodeVector(bytes, dimension, this.#storage);
      if (vector === "coarser") continue;
      if (vector === "broken") broken.push(key);
      else found.set(key, vector);
      if (used < newest || used !== this.#touchedAt) this.#touched.add(key);
    }
    if (broken.length > 0) this.#transact(() => this.#remove(broken));
    if (this.#touched.size >= maxTouched) this.flush();
    return found;
  }

  /** Stores vectors, then drops the least recently used until at most `maxBytes` are in use. */
  put(entries: ReadonlyMap<string, Float32Array>, maxBytes: number): void {
    this.#transact(() => {
      this.#writeTouched();
      const used = this.#newest() + 1;
      let free = this.#statements.of<{ id: number }>(freeId).get()?.id ?? 1;
      const insert = this.#statements.of<{ id: number }>(insertEntry);
      let bytes = 0;
      for (const [key, vector] of entries) {
        const id = insert.get(keyBytes(key), free, used)?.id;
        assert(id !== undefined, "an entry has no number");
        const encoded = encodeVector(vector, this.#storage);
        this.#store(id, encoded, id < free);
        if (id === free) free += 1;
        bytes += encoded.byteLength;
      }
      this.#evict(maxBytes, bytes / entries.size);
    });
  }

  probe(space: string): string | undefined {
    const find = this.#statements.of<{ probe: string }>("SELECT probe FROM probes WHERE space = ?");
    return find.get(space)?.probe;
  }

  /** Keeps a probe unless there is one; gives the one that is kept. */
  keepProbe(space: string, probe: string): string {
    const kept = this.probe(space);
    if (kept !== undefined) return kept;
    const keep = "INSERT INTO probes VALUES (?, ?) ON CONFLICT (space) DO NOTHING";
    this.#transact(() => this.#statements.of(keep).run(space, probe));
    return this.probe(space) ?? probe;
  }

  /** Writes which keys were used. */
  flush(): void {
    if (this.#touched.size > 0) this.#transact(() => this.#writeTouched());
  }

  /** Removes every entry and gives the space back to the disk. */
  clear(): void {
    this.#touched.clear();
    this.#transact(() =>
      this.#database.exec(
        "DELETE FROM entries; DELETE FROM vectors; DELETE FROM tails; DELETE FROM probes",
      ),
    );
    this.#database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  }

  close(): void {
    this.#database.close();
  }

  #evict(maxBytes: number, bytesPerEntry: number): void {
    const oldest = this.#statements.of<{ key: Uint8Array; id: number }>(
      "SELECT key, id FROM entries ORDER BY used, id LIMIT ?",
    );
    for (let excess = this.bytes - maxBytes; excess > 0; excess = this.bytes - maxBytes) {
      const victims = oldest.all(Math.ceil(excess / bytesPerEntry));
      if (victims.length === 0) return;
      for (const { key, id } of victims) this.#removeEntry(key, id);
    }
  }

  #remove(keys: readonly string[]): void {
    const find = this.#statements.of<{ id: number }>("SELECT id FROM entries WHERE key = ?");
    for (const key of keys) {
      const bytes = keyBytes(key);
      const id = find.get(bytes)?.id;
      if (id !== undefined) this.#removeEntry(bytes, id);
    }
  }

  #removeEntry(key: Uint8Array, id: number): void {
    this.#statements.of("DELETE FROM entries WHERE key = ?").run(key);
    this.#statements.of("DELETE FROM vectors WHERE id = ?").run(id);
    this.#statements.of("DELETE FROM tails WHERE id = ?").run(id);
  }

  #store(id: number, bytes: Uint8Array, mayReplace: boolean): void {
    const tail = tailBytes(bytes.byteLength, this.#pageBytes);
    const body = bytes.byteLength - tail;
    this.#statements.of(storeVector).run(id, bytes.subarray(0, body));
    if (tail > 0) this.#statements.of(storeTail).run(id, bytes.subarray(body));
    else if (mayReplace) this.#statements.of("DELETE FROM tails WHERE id = ?").run(id);
  }

  #writeTouched(): void {
    const used = this.#newest() + 1;
    this.#touchedAt = used;
    const touch = this.#statements.of("UPDATE entries SET used = ? WHERE key = ?");
    for (const key of this.#touched) touch.run(used, keyBytes(key));
    this.#touched.clear();
  }

  #newest(): number {
    const newest = this.#statements.of<{ used: number | null }>(
      "SELECT max(used) AS used FROM entries",
    );
    return newest.get()?.used ?? 0;
  }

  #pragma(name: "page_size" | "page_count" | "freelist_count"): number {
    return this.#statements.of<Record<string, number>>(`PRAGMA ${name}`).get()?.[name] ?? 0;
  }

  #transact(change: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#database.exec("COMMIT");
    } catch (error) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // Some errors have ended the transaction already.
      }
      throw error;
    }
  }
}

const findVectors = `SELECT key.key AS position, e.used, v.vector, t.tail FROM json_each(?) key
  CROSS JOIN entries e ON e.key = unhex(key.value) JOIN vectors v ON v.id = e.id
  LEFT JOIN tails t ON t.id = v.id`;
const freeId = "SELECT coalesce(max(id), 0) + 1 AS id FROM vectors";
const insertEntry = `INSERT INTO entries VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET used = excluded.used RETURNING id`;
const storeVector = "INSERT OR REPLACE INTO vectors VALUES (?, ?)";
const storeTail = "INSERT OR REPLACE INTO tails VALUES (?, ?)";

function keyBytes(key: string): Buffer {
  const bytes = Buffer.from(key, "hex");
  assert(bytes.length === 32, "a cache key is not 64 hexadecimal digits");
  return bytes;
}
