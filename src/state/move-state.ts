import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Fault } from "../faults/index.ts";
import { openForWriting, syncFolder } from "../sqlite/index.ts";
import { stateKind } from "./schema.ts";

/**
 * Gives the state of a renamed pipeline its new name on disk, whole or not at all. The caller holds the leases of both
 * names; `check` rejects a file that is not the one to be moved.
 */
export function moveState(from: string, to: string, check: (database: DatabaseSync) => void): void {
  const database = openForWriting(stateKind, from);
  try {
    check(database);
    // Everything goes into the file itself: the log beside it does not move along.
    const { busy } = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() ?? {};
    if (busy !== 0) {
      const what = `the state file \`${from}\` is being read, so it cannot be moved to \`${to}\``;
      throw new Fault("state.locked", `${what}; wait for the reader and run again`);
    }
  } finally {
    database.close();
  }
  for (const old of [`${to}-wal`, `${to}-shm`]) rmSync(old, { force: true });
  renameSync(from, to);
  for (const old of [`${from}-wal`, `${from}-shm`]) rmSync(old, { force: true });
  syncFolder(dirname(to));
}
