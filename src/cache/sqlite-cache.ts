import type { EmbeddingCache } from "../contracts/index.ts";
import { assert, Fault } from "../faults/index.ts";
import {
  busyTimeoutMs,
  createDatabase,
  databaseFault,
  type Disk,
  inodeOf,
  Lease,
  localDisk,
  locate,
  openForWriting,
  refuseNetwork,
} from "../sqlite/index.ts";
import { CacheFile } from "./cache-file.ts";
import { cacheKind } from "./schema.ts";
import { isSound, type Storage } from "./vectors.ts";

export interface SqliteCacheOptions {
  /** The cache file; its folder is made when missing. Processes may share it. */
  readonly path: string;
  /** The least recently used entries go when the file's pages in use exceed this. */
  readonly maxMb: number;
  /** How vectors are kept from now on; float32 when left out. Entries of both kinds may lie in one file. */
  readonly storage?: Storage;
  /** The machine's own disk when left out. */
  readonly disk?: Disk;
}

const bytesPerMb = 1024 * 1024;

/** Keeps vectors in one SQLite file, which the first use opens. */
export function sqliteCache(options: SqliteCacheOptions): EmbeddingCache {
  const { path, maxMb, storage = "float32", disk = localDisk } = options;
  assert(maxMb > 0, "a cache has a positive size");
  const maxBytes = maxMb * bytesPerMb;
  let file: CacheFile | undefined;
  let closed = false;

  async function use<Result>(work: (file: CacheFile) => Result): Promise<Result> {
    if (closed) throw new Fault("cache.unusable", "the embedding cache is closed");
    try {
      file ??= openFile(path, storage, disk);
      return work(file);
    } catch (error) {
      throw databaseFault(error, cacheKind, path);
    }
  }

  /** Who only reads (a plan) leaves no file behind. */
  function isAbsent(): boolean {
    return file === undefined && !closed && inodeOf(locate(path, false)) === undefined;
  }

  return {
    async get(keys, dimension) {
      return isAbsent() ? new Map() : use((open) => open.get(keys, dimension));
    },
    async put(entries) {
      const sound = new Map([...entries].filter(([, vector]) => isSound(vector)));
      if (sound.size > 0) await use((open) => open.put(sound, maxBytes));
    },
    async probe(space) {
      return isAbsent() ? undefined : use((open) => open.probe(space));
    },
    keepProbe: (space, probe) => use((open) => open.keepProbe(space, probe)),
    async stats() {
      if (isAbsent()) return { entries: 0, bytes: 0, maxBytes };
      return use((open) => ({ entries: open.count(), bytes: open.bytes, maxBytes }));
    },
    async clear() {
      if (!isAbsent()) await use((open) => open.clear());
    },
    async close() {
      closed = true;
      try {
        file?.flush();
      } catch {
        // Only which entries were used last is lost.
      }
      file?.close();
      file = undefined;
    },
  };
}

function openFile(wanted: string, storage: Storage, disk: Disk): CacheFile {
  refuseNetwork(wanted, cacheKind.noun, disk);
  const path = locate(wanted, true);
  refuseNetwork(path, cacheKind.noun, disk);
  if (inodeOf(path) === undefined) createAlone(path);
  const database = openForWriting(cacheKind, path);
  // In pages. A checkpoint waits for the disk on this thread; vectors would ask for one every megabyte.
  database.exec("PRAGMA wal_autocheckpoint = 16000");
  return new CacheFile(database, storage);
}

/** Processes that start together would each move a cache of theirs into place; one makes it, the others wait. */
function createAlone(path: string): void {
  const lease = Lease.acquire(`${path}.lock`, busyTimeoutMs);
  if (!lease) {
    const what = `another process has been making the embedding cache \`${path}\` for too long`;
    throw new Fault("cache.unusable", `${what}; stop it, or choose another \`cache.path\``);
  }
  try {
    if (inodeOf(path) === undefined) createDatabase(cacheKind, path);
  } finally {
    lease.release();
  }
}
