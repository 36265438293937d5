import {
  emptyGrid,
  type Grid,
  type Layout,
  rightPadded,
} from "../../../../../connectors/embedders/qwen3/runtime/worker/layout.ts";

function leftPadded(ids: Int32Array, lengths: Int32Array, padId: number): Grid {
  const columns = Math.max(...lengths);
  const grid = emptyGrid(lengths.length, columns, padId);
  let from = 0;
  for (const [row, length] of lengths.entries()) {
    for (let column = 0; column < length; column += 1) {
      const cell = row * columns + columns - length + column;
      grid.ids[cell] = BigInt(ids[from + column]!);
      grid.mask[cell] = 1n;
      grid.positions[cell] = BigInt(column);
    }
    from += length;
  }
  return grid;
}

const lastColumn = (_: number, { columns }: Grid): number => columns - 1;

function withoutMask(fill: Layout["fill"]): Layout["fill"] {
  return (...given) => {
    const grid = fill(...given);
    return { ...grid, mask: grid.mask.fill(1n) };
  };
}

/** Known mistakes in how rows are laid out and read, and the right way. */
export const layouts = {
  right: rightPadded,
  right_padding_last_place: { fill: rightPadded.fill, column: lastColumn },
  right_padding_no_mask: { fill: withoutMask(rightPadded.fill), column: lastColumn },
  left_padding_no_mask: { fill: withoutMask(leftPadded), column: lastColumn },
  left_padding_mask_sum_as_place: { fill: leftPadded, column: (length) => length - 1 },
  left_padding_no_position_ids: {
    fill(...given) {
      const grid = leftPadded(...given);
      const { columns, positions } = grid;
      return { ...grid, positions: positions.map((_, cell) => BigInt(cell % columns)) };
    },
    column: lastColumn,
  },
  left_padding_in_gqa_graph: { fill: leftPadded, column: lastColumn },
} as const satisfies Record<string, Layout>;

export type LayoutName = keyof typeof layouts;
