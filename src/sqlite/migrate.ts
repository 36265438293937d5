import type { DatabaseSync } from "node:sqlite";
import { assert, Fault } from "../faults/index.ts";
import type { DatabaseKind } from "./kind.ts";

/** The schema version that this code writes. */
export function currentVersion(kind: DatabaseKind): number {
  return kind.migrations.at(-1)?.version ?? 0;
}

/** The schema version of a database. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** Brings a database to the current version, all steps in one transaction. */
export function migrate(database: DatabaseSync, kind: DatabaseKind): void {
  if (schemaVersion(database) === currentVersion(kind)) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const migration of kind.migrations) {
      // Read anew each time: another process may have migrated while this one waited for the lock.
      const version = schemaVersion(database);
      if (migration.version <= version) continue;
      assert(migration.version === version + 1, `no migration leads to version ${version + 1}`);
      migration.up(database);
      database.exec(`PRAGMA user_version = ${migration.version}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** Refuses a database that a newer sluice has migrated. */
export function refuseNewer(database: DatabaseSync, kind: DatabaseKind, path: string): void {
  const version = schemaVersion(database);
  if (version <= currentVersion(kind)) return;
  throw new Fault(
    kind.faults.foreign,
    `the ${kind.noun} \`${path}\` has schema version ${version}, newer than the ` +
      `${currentVersion(kind)} of this sluice; use the newer sluice, or ${kind.remedies.foreign}`,
  );
}

/** Refuses a database that must be migrated first, for a reader that cannot. */
export function refuseOlder(database: DatabaseSync, kind: DatabaseKind, path: string): void {
  const version = schemaVersion(database);
  if (version === currentVersion(kind)) return;
  throw new Fault(
    kind.faults.foreign,
    `the ${kind.noun} \`${path}\` has schema version ${version}, older than the ` +
      `${currentVersion(kind)} of this sluice; \`sluice run\` brings it up to date`,
  );
}
