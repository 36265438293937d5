import { open, type FileHandle } from "node:fs/promises";
import type { Disk } from "./disk.ts";

/**
 * Makes commits durable without stopping the event loop. In WAL mode a commit is durable once the log holding it is
 * synced; `PRAGMA synchronous = FULL` does that inside COMMIT, on the calling thread. Here the commit runs with NORMAL
 * (the log is written, not synced; checkpoints still sync log and database in the right order) and the log is synced
 * by the thread pool. All commits made while a sync runs share the next one.
 *
 * The log has no locks of its own (SQLite keeps them in the database and its `-shm` file), so opening and closing it
 * beside SQLite drops none.
 */
export class WalSync {
  readonly #file: FileHandle;
  readonly #disk: Disk;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(file: FileHandle, disk: Disk) {
    this.#file = file;
    this.#disk = disk;
  }

  /** Opens the log of a database, which must exist (something was committed) and stay open. */
  static async open(databasePath: string, disk: Disk): Promise<WalSync> {
    return new WalSync(await open(`${databasePath}-wal`, "r+"), disk);
  }

  /** Resolves when everything committed before the call is durable. */
  sync(): Promise<void> {
    if (!this.#running) return this.#start();
    this.#next ??= this.#running.catch(() => undefined).then(() => this.#start());
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#running = this.#sync().finally(() => {
      if (!this.#next) this.#running = undefined;
    });
    return this.#running;
  }

  async #sync(): Promise<void> {
    // After a failed sync the kernel may have dropped the pages: a later success would prove nothing.
    if (this.#failure) throw this.#failure.error;
    try {
      await this.#disk.sync(this.#file);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
