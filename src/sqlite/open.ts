import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "../faults/index.ts";
import { createEmpty } from "./lease.ts";
import type { DatabaseKind } from "./kind.ts";
import { migrate, refuseNewer, refuseOlder, schemaVersion } from "./migrate.ts";

/** How long a statement waits for the lock of another process. */
export const busyTimeoutMs = 10_000;

/** SQLite's page cache: enough for the inner pages and the neighbourhood of a few million rows. */
const cacheKib = 16 * 1024;

/**
 * One path for one file, whatever name it was called by, and its folder made (mode 0700) when `create` says so. Two
 * names of one file would have two leases.
 */
export function locate(path: string, create: boolean): string {
  const absolute = resolve(path);
  if (create) mkdirSync(dirname(absolute), { recursive: true, mode: 0o700 });
  if (lstatSync(absolute, { throwIfNoEntry: false })) return realpathSync.native(absolute);
  const folder = dirname(absolute);
  return statSync(folder, { throwIfNoEntry: false })
    ? join(realpathSync.native(folder), basename(absolute))
    : absolute;
}

/**
 * Makes a database of this kind, whole or not at all: under another name first, then moved into place. Only for a path
 * without a file, by a caller that keeps other creators out.
 */
export function createDatabase(
  kind: DatabaseKind,
  path: string,
  initialise?: (database: DatabaseSync) => void,
): void {
  const draft = `${path}.new`;
  // What an earlier file of this name left behind would be replayed into the new one.
  for (const old of [draft, `${draft}-wal`, `${draft}-shm`, `${path}-wal`, `${path}-shm`]) {
    rmSync(old, { force: true });
  }
  createEmpty(draft);
  const database = new DatabaseSync(draft);
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA application_id = ${kind.applicationId}`);
    migrate(database, kind);
    initialise?.(database);
  } finally {
    database.close();
  }
  renameSync(draft, path);
  syncFolder(dirname(path));
}

/** Opens an existing database of this kind for writing, after making sure that it is one; migrates it. */
export function openForWriting(kind: DatabaseKind, path: string): DatabaseSync {
  // The first look is a reader's, so that nothing in a file that is not ours is touched.
  look(kind, path).close();
  const database = new DatabaseSync(path);
  return orClose(database, () => {
    configure(database);
    // In WAL mode NORMAL never corrupts and survives the death of the process; durability is `WalSync`'s.
    database.exec("PRAGMA synchronous = NORMAL");
    migrate(database, kind);
  });
}

/** Opens an existing database of this kind for reading. Cannot migrate it, so it must be up to date. */
export function openForReading(kind: DatabaseKind, path: string): DatabaseSync {
  const database = look(kind, path);
  return orClose(database, () => refuseOlder(database, kind, path));
}

function look(kind: DatabaseKind, path: string): DatabaseSync {
  refuseOddFile(kind, path);
  const database = new DatabaseSync(path, { readOnly: true });
  return orClose(database, () => {
    configure(database);
    refuseForeign(database, kind, path);
    refuseNewer(database, kind, path);
  });
}

function configure(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA cache_size = -${cacheKib}`);
}

function orClose(database: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite's smallest page. It takes what is shorter for an empty database; ours never are. */
const shortestBytes = 512;

function refuseOddFile(kind: DatabaseKind, path: string): void {
  const stats = statSync(path);
  if (!stats.isFile()) {
    const what = `\`${path}\` is not a file, so it cannot be the ${kind.noun}`;
    throw new Fault(kind.faults.foreign, `${what}; ${kind.remedies.foreign}`);
  }
  if (stats.size < shortestBytes) {
    const size = stats.size === 0 ? "empty" : `only ${stats.size} bytes long`;
    const what = `the ${kind.noun} \`${path}\` is ${size}: it was cut off`;
    throw new Fault(kind.faults.corrupt, `${what}; ${kind.remedies.corrupt}`);
  }
}

function refuseForeign(database: DatabaseSync, kind: DatabaseKind, path: string): void {
  const id = Number(database.prepare("PRAGMA application_id").get()?.["application_id"]);
  if (id === kind.applicationId && schemaVersion(database) > 0) return;
  const what = `\`${path}\` is a database of another application, not sluice's ${kind.noun}`;
  throw new Fault(kind.faults.foreign, `${what}; ${kind.remedies.foreign}`);
}

/** Makes names that were given or taken in a folder survive a loss of power. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders, and needs no sync of them.
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
