import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorCode } from "../flow/error-code.ts";
import { isBusy } from "./errors.ts";

/**
 * A lock that the operating system releases when the process dies: an open exclusive transaction on an empty side
 * database. It is a file lock, so it keeps nobody from reading the database beside it. The side file stays where it
 * is: removing it would let two processes lock two files of one name.
 */
export class Lease {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: number;

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#inode = statSync(path).ino;
  }

  /** Takes the lease, waiting for it at most this long; undefined when it is held. */
  static acquire(path: string, waitMs: number): Lease | undefined {
    createEmpty(path);
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${waitMs}`);
      database.exec("BEGIN EXCLUSIVE");
      return new Lease(database, path);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  /** Whether somebody holds the lease, in this process or another. */
  static isHeld(path: string): boolean {
    if (inodeOf(path) === undefined) return false;
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec("SELECT count(*) FROM sqlite_schema");
      return false;
    } catch (error) {
      if (isBusy(error)) return true;
      throw error;
    } finally {
      database.close();
    }
  }

  /** Whether the locked file is still the one at the path; another process could lock a new one. */
  get held(): boolean {
    return this.#database.isOpen && inodeOf(this.#path) === this.#inode;
  }

  /** May be called twice. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** The file's inode; undefined when there is none. Never opens the file, see `createEmpty`. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/**
 * Creates a file only its owner may read. `wx` never opens one that exists: with POSIX locks, closing any descriptor
 * of a file drops all locks that this process holds on it, also those of another session.
 */
export function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
