import type * as LanceDb from "@lancedb/lancedb";

/**
 * When to compact. Every commit makes a fragment and a version, and rows that were replaced stay on the disk as dead
 * ones; but a compaction rewrites the whole table up to a million rows, and a scan of some dozens of fragments is
 * faster than that of one, because it runs on all cores (18,000 rows of 1,024 numbers: 22 against 45 ms). So it waits
 * until the rows written since the last one are a good part of the table, which keeps the rewriting in proportion to
 * the writing, or until fragments are many.
 */
const commitsBetweenLooks = 64;
const manyFragments = 512;
const shareInRun = 0.5;
const fragmentsAtEnd = 128;
/** The same when some rows of them are dead. */
const fragmentsWithDeadRows = 32;
const deadShareAtEnd = 0.2;

/**
 * Older versions are removed with a compaction, but not younger ones: another process may be reading them (a query in
 * seconds, a scan in minutes).
 */
const keptVersionsMs = 10 * 60 * 1000;

/** Counts what was written and compacts when it pays. */
export class Housekeeping {
  #commits = 0;
  #rows = 0;
  #dead = 0;
  #nextLook = commitsBetweenLooks;

  /** Called after every commit, with the rows it wrote and those that it replaced or deleted. */
  count(written: number, dead: number): void {
    this.#commits++;
    this.#rows += written;
    this.#dead += dead;
  }

  /** Whether it is time to look if a compaction pays; costs nothing. */
  get due(): boolean {
    return this.#commits >= this.#nextLook;
  }

  /** Between writes: compacts when many rows are new, and says whether. Nobody else may write meanwhile. */
  async look(table: LanceDb.Table): Promise<boolean> {
    this.#nextLook = this.#commits + commitsBetweenLooks;
    const { numRows, fragmentStats } = await table.stats();
    const pays = this.#rows >= numRows * shareInRun;
    if (!pays && fragmentStats.numFragments < manyFragments) return false;
    return this.#compact(table);
  }

  /** At the end of a run: compacts when a good part of the rows died, or fragments are many; says whether. */
  async finish(table: LanceDb.Table): Promise<boolean> {
    if (this.#commits === 0) return false;
    const { numRows, fragmentStats } = await table.stats();
    const { numFragments } = fragmentStats;
    const worthIt = numFragments > 1 && this.#dead >= numRows * deadShareAtEnd;
    const many = this.#dead > 0 ? fragmentsWithDeadRows : fragmentsAtEnd;
    return ((this.#dead > 0 && worthIt) || numFragments >= many) && this.#compact(table);
  }

  async #compact(table: LanceDb.Table): Promise<boolean> {
    await table.optimize({ cleanupOlderThan: new Date(Date.now() - keptVersionsMs) });
    this.#commits = 0;
    this.#rows = 0;
    this.#dead = 0;
    this.#nextLook = commitsBetweenLooks;
    return true;
  }
}
