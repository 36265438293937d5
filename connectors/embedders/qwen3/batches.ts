export interface BatchLimits {
  /** Rows of one batch. */
  readonly texts: number;
  /** Rows times the longest of them: what is computed, padding included. A longer row goes alone. */
  readonly tokens: number;
}

/** Starting a batch costs a device about as much as this share of a full one. */
const overheadShare = 1 / 128;

/**
 * Puts rows of these lengths into batches, longest first, so that the least is computed: padding, plus what each batch
 * costs to start. Of all ways to cut the sorted rows into batches within the limits, this is the cheapest. Gives the
 * places of the rows.
 */
export function planBatches(lengths: readonly number[], limits: BatchLimits): number[][] {
  const order = lengths.map((_, index) => index).toSorted((a, b) => lengthAt(b) - lengthAt(a));
  function lengthAt(index: number): number {
    return lengths[index] ?? 0;
  }
  const count = order.length;
  const overhead = limits.tokens * overheadShare;
  /** The least cost of the first rows, and where the last batch of them begins. */
  const costs = new Float64Array(count + 1);
  const starts = new Int32Array(count + 1);
  for (let end = 1; end <= count; end += 1) {
    let least = Infinity;
    for (let start = end - 1; start >= 0 && end - start <= limits.texts; start -= 1) {
      const computed = (end - start) * lengthAt(order[start] ?? 0);
      if (computed > limits.tokens && end - start > 1) break;
      const cost = (costs[start] ?? 0) + computed + overhead;
      if (cost >= least) continue;
      least = cost;
      starts[end] = start;
    }
    costs[end] = least;
  }
  const batches: number[][] = [];
  for (let end = count; end > 0; end = starts[end] ?? 0) {
    batches.push(order.slice(starts[end] ?? 0, end));
  }
  return batches.toReversed();
}
