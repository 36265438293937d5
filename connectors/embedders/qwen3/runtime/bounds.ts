import type { DeviceKind, GraphModel } from "./options.ts";

/** The most numbers that an output of every token's state may have: 256 MiB of float32. */
const largestOutput = 2 ** 26;
/** The most numbers of one layer's attention, which plain graphs write out: 512 MiB on a CPU, 2 GiB on a GPU. */
const largestAttention = { cpu: 2 ** 27, gpu: 2 ** 29 };
/** After so much had no room, batches grow again by this share with every one that had. */
const growth = 1 / 16;

/** What a run may hold, so that memory is bounded whatever it is given. A row alone is always let through. */
export class Bounds {
  readonly rows: number;
  /** The most cells of a grid (rows × longest) as the model's size allows. */
  readonly cells: number;
  readonly #attention: number;
  readonly #heads: number;
  /** What the device was seen to have room for. */
  #learned: number;

  constructor(
    model: GraphModel,
    kind: DeviceKind,
    graph: { readonly pooled: boolean; readonly rows?: number },
  ) {
    this.rows = graph.rows ?? Number.POSITIVE_INFINITY;
    this.cells = Math.max(1, Math.floor(largestOutput / model.hidden));
    this.#learned = this.cells;
    this.#heads = model.heads ?? 4 * model.kvHeads;
    this.#attention = kind === "cpu" ? largestAttention.cpu : largestAttention.gpu;
  }

  /** Whether so many rows, filled up to the longest, may run at once. */
  allow(rows: number, columns: number): boolean {
    if (rows <= 1) return true;
    if (rows > this.rows || rows * columns > this.#learned) return false;
    return rows * this.#heads * columns * columns <= this.#attention;
  }

  /** A grid of so many cells had no room. */
  shrink(cells: number): void {
    this.#learned = Math.max(1, Math.min(this.#learned, Math.floor(cells / 2)));
  }

  /** A batch had room. */
  grow(): void {
    this.#learned = Math.min(this.cells, this.#learned * (1 + growth));
  }
}

/** Cuts rows into runs that the bounds allow, as indices: all in one if possible, otherwise rows of like length together. */
export function cutRuns(rows: readonly Int32Array[], bounds: Bounds): number[][] {
  const indices = [...rows.keys()];
  const lengthOf = (index: number): number => rows[index]?.length ?? 0;
  if (bounds.allow(rows.length, Math.max(0, ...indices.map(lengthOf)))) return [indices];
  const runs: number[][] = [];
  let run: number[] = [];
  for (const index of indices.toSorted((left, right) => lengthOf(left) - lengthOf(right))) {
    // Sorted, so the newest is the longest.
    if (run.length > 0 && !bounds.allow(run.length + 1, lengthOf(index))) {
      runs.push(run);
      run = [];
    }
    run.push(index);
  }
  runs.push(run);
  return runs;
}
