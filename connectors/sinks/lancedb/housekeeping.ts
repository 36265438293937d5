import type * as LanceDb from "@lancedb/lancedb";

/**
 * When to compact. Every commit makes a fragment and a version, and reads slow down with their number; but a
 * compaction rewrites the whole table up to a million rows. So it waits until the rows written since the last one are
 * a good part of the table, which keeps the rewriting in proportion to the writing, or until fragments are many.
 */
const commitsBetweenLooks = 64;
const manyFragments = 512;
const shareInRun = 0.5;
const fragmentsAtEnd = 32;
const shareAtEnd = 0.2;

/**
 * Older versions are removed with a compaction, but not younger ones: another process may be reading them (a query in
 * seconds, a scan in minutes).
 */
const keptVersionsMs = 10 * 60 * 1000;

/** Counts what was written and compacts when it pays. */
export class Housekeeping {
  readonly #table: LanceDb.Table;
  #commits = 0;
  #rows = 0;
  #nextLook = commitsBetweenLooks;

  constructor(table: LanceDb.Table) {
    this.#table = table;
  }

  /** Called after every commit, with the rows it touched. */
  count(rows: number): void {
    this.#commits++;
    this.#rows += rows;
  }

  /** Whether it is time to look if a compaction pays; costs nothing. */
  get due(): boolean {
    return this.#commits >= this.#nextLook;
  }

  /** Between writes: compacts when many rows are new, and says whether. Nobody else may write meanwhile. */
  async look(): Promise<boolean> {
    this.#nextLook = this.#commits + commitsBetweenLooks;
    const { numRows, fragmentStats } = await this.#table.stats();
    const pays = this.#rows >= numRows * shareInRun;
    if (!pays && fragmentStats.numFragments < manyFragments) return false;
    return this.#compact();
  }

  /** At the end of a run: compacts when a good part of the rows is new, or fragments are many; says whether. */
  async finish(): Promise<boolean> {
    if (this.#commits === 0) return false;
    const { numRows, fragmentStats } = await this.#table.stats();
    const { numFragments } = fragmentStats;
    const worthIt = numFragments > 1 && this.#rows >= numRows * shareAtEnd;
    return (worthIt || numFragments >= fragmentsAtEnd) && this.#compact();
  }

  async #compact(): Promise<boolean> {
    await this.#table.optimize({ cleanupOlderThan: new Date(Date.now() - keptVersionsMs) });
    this.#commits = 0;
    this.#rows = 0;
    this.#nextLook = commitsBetweenLooks;
    return true;
  }
}
