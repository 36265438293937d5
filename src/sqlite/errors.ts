import { AssertionError } from "node:assert";
import { Fault, isFault } from "../faults/index.ts";
import type { DatabaseKind } from "./kind.ts";

const sqlite = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 };
/** PERM, BUSY, LOCKED, READONLY, IOERR, CANTOPEN, PROTOCOL, AUTH: the world's doing; other codes are bugs of ours. */
const unwritable = new Set([3, 5, 6, 8, 10, 14, 15, 23]);
const fullDisk = new Set(["ENOSPC", "EDQUOT"]);
/** IOERR_SHMSIZE: there was no room to enlarge the shared memory that lies beside the file. */
const noRoomBeside = 4874;

/**
 * Turns an error of SQLite or of the file system into the fault that a user can act on. Bugs of ours and faults pass
 * through unchanged.
 */
export function databaseFault(error: unknown, kind: DatabaseKind, path: string): Error {
  if (isFault(error) || error instanceof AssertionError) return error;
  const { sqliteCode, systemCode, reason } = describe(error);
  const cause = { cause: error };
  if (sqliteCode === sqlite.notADatabase) {
    const what = `\`${path}\` is not a SQLite database: a damaged ${kind.noun}, or another file`;
    return new Fault(kind.faults.corrupt, `${what}; ${kind.remedies.corrupt}`, cause);
  }
  if (sqliteCode === sqlite.corrupt) {
    const what = `the ${kind.noun} \`${path}\` is damaged (${reason})`;
    return new Fault(kind.faults.corrupt, `${what}; ${kind.remedies.corrupt}`, cause);
  }
  if (sqliteCode === sqlite.full || fullDisk.has(systemCode ?? "")) {
    const what = `the disk of the ${kind.noun} \`${path}\` is full`;
    return new Fault(kind.faults.full, `${what}; make room and run again, nothing is lost`, cause);
  }
  if (!unwritable.has(sqliteCode ?? 0) && systemCode === undefined) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const what = `the ${kind.noun} \`${path}\` cannot be read or written (${reason})`;
  const remedy =
    sqliteCode === sqlite.busy
      ? "another program keeps it locked; close it and run again"
      : "check the permissions of the file and its folder, and the disk";
  return new Fault(kind.faults.unwritable, `${what}; ${remedy}`, cause);
}

/** Whether SQLite refused because somebody else holds a lock. */
export function isBusy(error: unknown): boolean {
  return describe(error).sqliteCode === sqlite.busy;
}

function describe(error: unknown): { sqliteCode?: number; systemCode?: string; reason: string } {
  if (!(error instanceof Error)) return { reason: "unknown" };
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  const reason = error.message;
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    // The low byte is the primary code; the rest says which call it was.
    const sqliteCode = errcode === noRoomBeside ? sqlite.full : errcode & 0xff;
    return { sqliteCode, reason: `${reason}, SQLite ${errcode}` };
  }
  return typeof code === "string" && "syscall" in error
    ? { systemCode: code, reason: code }
    : { reason };
}
