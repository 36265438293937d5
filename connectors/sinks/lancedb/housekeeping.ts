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
 * A handle keeps about 650 bytes of each fragment for every version it has seen. This many, and it is exchanged for a
 * fresh one: 5 MB, where 64 commits to a table of 500 fragments would keep 20.
 */
const fragmentsToRemember = 8_192;

/**
 * Older versions are removed with a compaction, but not younger ones: another process may be reading them (a query in
 * seconds, a scan in minutes).
 */
const keptVersionsMs = 10 * 60 * 1000;

/** Counts what was written, and says when a fresh handle and a compaction pay. */
export class Housekeeping {
  #commits = 0;
  #rows = 0;
  #dead = 0;
  #nextLook = commitsBetweenLooks;
  /** Fragments of the table, as far as known. */
  #fragments = 0;
  /** Fragments of all versions that the handle has seen. */
  #remembered = 0;

  /** Called after every commit, with the rows it wrote and those that it replaced or deleted. */
  count(written: number, dead: number): void {
    this.#commits += 1;
    this.#rows += written;
    this.#dead += dead;
    this.#fragments += 1;
    this.#remembered += this.#fragments;
  }

  /** Whether it is time for a fresh handle; costs nothing. */
  get stale(): boolean {
    return this.lookDue || this.#remembered >= fragmentsToRemember;
  }

  /** Whether it is time to look if a compaction pays; costs nothing. */
  get lookDue(): boolean {
    return this.#commits >= this.#nextLook;
  }

  /** The table gets a fresh handle. */
  refreshed(): void {
    this.#remembered = 0;
  }

  /** Between writes: whether many rows are new, so that a compaction pays. */
  async paysInRun(table: LanceDb.Table): Promise<boolean> {
    this.#nextLook = this.#commits + commitsBetweenLooks;
    const { numRows, fragmentStats } = await table.stats();
    this.#fragments = fragmentStats.numFragments;
    return this.#rows >= numRows * shareInRun || this.#fragments >= manyFragments;
  }

  /** At the end of a run: whether a good part of the rows died, or fragments are many. */
  async paysAtEnd(table: LanceDb.Table): Promise<boolean> {
    if (this.#commits === 0) return false;
    const { numRows, fragmentStats } = await table.stats();
    const { numFragments } = fragmentStats;
    const worthIt = numFragments > 1 && this.#dead >= numRows * deadShareAtEnd;
    const many = this.#dead > 0 ? fragmentsWithDeadRows : fragmentsAtEnd;
    return (this.#dead > 0 && worthIt) || numFragments >= many;
  }

  /** Nobody else may write meanwhile. */
  async compact(table: LanceDb.Table): Promise<void> {
    await table.optimize({ cleanupOlderThan: new Date(Date.now() - keptVersionsMs) });
    this.#commits = 0;
    this.#rows = 0;
    this.#dead = 0;
    this.#fragments = 1;
    this.#nextLook = commitsBetweenLooks;
  }
}
