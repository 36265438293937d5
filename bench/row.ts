/** A line of the benchmark: the figure to reach beside the figure reached. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly reach: number;
  readonly reached: number;
  readonly ok: boolean;
  /** What the figure is made of. */
  readonly note?: string;
}

export function atLeast(row: Omit<BenchRow, "ok">): BenchRow {
  return { ...row, ok: row.reached >= row.reach };
}

export function atMost(row: Omit<BenchRow, "ok">): BenchRow {
  return { ...row, ok: row.reached <= row.reach };
}
