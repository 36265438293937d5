/** A batch as the graph wants it: rows beside each other, all as long as the longest. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly ids: BigInt64Array;
  readonly mask: BigInt64Array;
  readonly positions: BigInt64Array;
}

/** How rows are laid out, and whose state stands for a row. */
export interface Layout {
  fill(ids: Int32Array, lengths: Int32Array, padId: number): Grid;
  /** The column whose state is the row's vector. */
  column(length: number, grid: Grid): number;
}

/**
 * Rows begin at the left and are filled up at the right: fused attention is wrong otherwise, and because a token sees only
 * those before it, what stands behind a text changes nothing. The last token is found by the row's length: the id that rows
 * are filled up with is also the one that ends every text.
 */
export const rightPadded: Layout = {
  fill(ids, lengths, padId) {
    const rows = lengths.length;
    const columns = lengths.reduce((longest, length) => Math.max(longest, length), 0);
    const grid = emptyGrid(rows, columns, padId);
    const [idWords, maskWords, positionWords] = [grid.ids, grid.mask, grid.positions].map(lowWords);
    let from = 0;
    for (const [row, length] of lengths.entries()) {
      const start = row * columns;
      for (let column = 0; column < columns; column += 1) {
        const word = 2 * (start + column);
        if (positionWords !== undefined) positionWords[word] = column;
        if (column >= length) continue;
        if (idWords !== undefined) idWords[word] = ids[from + column] ?? padId;
        if (maskWords !== undefined) maskWords[word] = 1;
      }
      from += length;
    }
    return grid;
  },
  column(length) {
    return length - 1;
  },
};

/** A grid of nothing but padding. */
export function emptyGrid(rows: number, columns: number, padId: number): Grid {
  const cells = rows * columns;
  return {
    rows,
    columns,
    ids: new BigInt64Array(cells).fill(BigInt(padId)),
    mask: new BigInt64Array(cells),
    positions: new BigInt64Array(cells),
  };
}

/** The lower halves of the numbers: small ones are written there without making a `bigint` of each. */
function lowWords(numbers: BigInt64Array): Int32Array {
  return new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length * 2);
}
