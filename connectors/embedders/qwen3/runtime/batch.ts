/** Rows that are computed at once, in one grid. */
export interface Batch {
  readonly rows: readonly Int32Array[];
  readonly tokens: number;
  /** The longest row; every other is filled up to it. */
  readonly columns: number;
}

export function batchOf(rows: readonly Int32Array[]): Batch {
  let tokens = 0;
  let columns = 0;
  for (const row of rows) {
    tokens += row.length;
    columns = Math.max(columns, row.length);
  }
  return { rows, tokens, columns };
}

/** The cells of its grid, padding included. */
export function cellsOf({ rows, columns }: Batch): number {
  return rows.length * columns;
}

/** The rows' ids one after the other, and their lengths; fresh memory that may be given away. */
export function flatten({ rows, tokens }: Batch): {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly lengths: Int32Array<ArrayBuffer>;
} {
  const ids = new Int32Array(tokens);
  let from = 0;
  for (const row of rows) {
    ids.set(row, from);
    from += row.length;
  }
  return { ids, lengths: Int32Array.from(rows, (row) => row.length) };
}
