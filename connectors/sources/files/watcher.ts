import { watch, type BigIntStats, type FSWatcher } from "node:fs";
import { basename } from "node:path";
import type { Clock } from "../../../src/contracts/index.ts";
import type { Selection } from "./selection.ts";

/** A change is acted upon after so long without another … */
const quietMs = 200;
/** … or after so long with one after the other. */
const restlessMs = 2000;
/** Folders watched at most (the usual limit of Linux is 8,192 and more); the others wait for the next full listing. */
const foldersMax = 8000;

interface Watched {
  readonly inode: bigint;
  readonly watcher: FSWatcher;
}

/**
 * Watches folders, one by one: Node's recursive watch would on Linux watch every single file, follow links, and not
 * say which folders it missed. A watch is set before its folder is listed, so that no change falls between.
 */
export class FolderWatcher {
  readonly #clock: Clock;
  readonly #selection: Selection;
  readonly #watched = new Map<string, Watched>();
  /** Folders of the listing that is going on. */
  #listed = new Set<string>();
  #isDirty = false;
  #changedAt = 0;
  #wake: (() => void) | undefined;

  constructor(selection: Selection, clock: Clock) {
    this.#selection = selection;
    this.#clock = clock;
  }

  /** Folders watched now. */
  get size(): number {
    return this.#watched.size;
  }

  /** Watches a folder; called for every folder of every listing before it is read. */
  add(path: string, folder: string, stats: BigIntStats): void {
    this.#listed.add(path);
    const known = this.#watched.get(path);
    if (known?.inode === stats.ino) return;
    known?.watcher.close();
    this.#watched.delete(path);
    if (this.#watched.size >= foldersMax) return;
    try {
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        // A folder that is removed reports its own name. Its successor may get the same inode.
        if (name === basename(path)) this.#drop(path, watcher);
        if (name === null || this.#concerns(folder === "" ? name : `${folder}/${name}`)) {
          this.#note();
        }
      });
      watcher.on("error", () => this.#drop(path, watcher));
      this.#watched.set(path, { inode: stats.ino, watcher });
    } catch {
      // Out of watches, or a file system that has none: the periodic listing sees the changes.
    }
  }

  /** Forgets folders that the listing just ended did not meet. */
  endListing(): void {
    for (const [path, { watcher }] of this.#watched) {
      if (!this.#listed.has(path)) this.#drop(path, watcher);
    }
    this.#listed = new Set();
  }

  /** Resolves when something changed and has come to rest, or after `pollMs`. Rejects on abort. */
  async change(pollMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isDirty) await this.#sleepUntilNoted(pollMs, signal);
    const start = this.#clock.monotonic();
    for (;;) {
      const now = this.#clock.monotonic();
      if (!this.#isDirty || now - this.#changedAt >= quietMs || now - start >= restlessMs) break;
      await this.#clock.sleep(quietMs, signal);
    }
    this.#isDirty = false;
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Hidden and excluded names (editors' swap files, a repository's own) wake nobody. */
  #concerns(id: string): boolean {
    return this.#selection.matches(id) || this.#selection.enters(id);
  }

  #note(): void {
    this.#isDirty = true;
    this.#changedAt = this.#clock.monotonic();
    this.#wake?.();
  }

  #drop(path: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watched.get(path)?.watcher === watcher) this.#watched.delete(path);
  }

  async #sleepUntilNoted(pollMs: number, signal: AbortSignal): Promise<void> {
    const noted = new AbortController();
    this.#wake = () => noted.abort();
    try {
      await this.#clock.sleep(pollMs, AbortSignal.any([signal, noted.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!noted.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }
}
