import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../../src/flow/error-code.ts";

/** Where Lance puts files; what a commit names last. A manifest must not outlive what it names. */
const folders = ["data", "_deletions", "_transactions", "_versions"];

/**
 * Makes commits survive a loss of power. Lance writes and renames its files but never syncs them, so an acknowledged
 * write could vanish, or leave a manifest without its data, while the state that calls it settled stays.
 */
export class Durability {
  readonly #folder: string;
  /** Names already on the disk, by subfolder; files never change once they have their name. */
  readonly #synced = new Map<string, ReadonlySet<string>>();
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Resolves when everything committed before the call is on the disk. Calls that wait at one moment share a pass; a
   * pass under way may have looked before the caller's commit, so it does not count.
   */
  sync(): Promise<void> {
    this.#next ??= this.#passAfter(this.#running);
    return this.#next;
  }

  async #passAfter(running: Promise<void> | undefined): Promise<void> {
    // Yields also when none is under way, so that `#next` is set by now.
    await (running?.catch(() => undefined) ?? Promise.resolve());
    this.#running = this.#next;
    this.#next = undefined;
    for (const name of folders) await this.#syncFolder(name);
    await syncPath(this.#folder);
  }

  async #syncFolder(name: string): Promise<void> {
    const folder = join(this.#folder, name);
    const known = this.#synced.get(name);
    const present = (await listIfThere(folder)).filter(isCommitted);
    const fresh = present.filter((file) => known?.has(file) !== true);
    if (fresh.length === 0) return;
    for (const file of fresh) await syncPath(join(folder, file));
    await syncPath(folder);
    // Only now: a sync that runs at the same time must not rely on what is not done yet.
    this.#synced.set(name, new Set(present));
  }
}

/** Names that Lance gives before a file is complete, or rewrites without need. */
function isCommitted(file: string): boolean {
  return !file.startsWith(".") && !file.includes("#") && file !== "latest_version_hint.json";
}

async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

async function syncPath(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    await file.sync();
  } catch (error) {
    // Another process may have compacted it away since; then a later manifest no longer names it.
    if (errorCode(error) !== "ENOENT") throw error;
  } finally {
    await file?.close();
  }
}
