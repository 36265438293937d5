export interface BatchLimits {
  /** Rows of one batch. */
  readonly texts: number;
  /** Rows times the longest of them: what is computed, padding included. A longer row goes alone. */
  readonly tokens: number;
}

/**
 * What starting a batch may be worth, as shares of a full one. Few batches have much padding; the first share with
 * little enough is taken, and below the last, starting more batches costs a device more than padding does.
 */
const startShares = [1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128];
/** Padding of all that is computed. */
const mostPadding = 0.05;

/**
 * Puts rows of these lengths into batches, longest first: as few as keep padding small. Gives the places of the rows.
 */
export function planBatches(lengths: readonly number[], limits: BatchLimits): number[][] {
  const order = [...lengths.keys()].toSorted((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0));
  const sorted = Float64Array.from(order, (index) => lengths[index] ?? 0);
  const real = sorted.reduce((sum, length) => sum + length, 0);
  let cuts: readonly number[] = [];
  for (const share of startShares) {
    cuts = cheapestCuts(sorted, limits, limits.tokens * share);
    if (1 - real / computedIn(sorted, cuts) <= mostPadding) break;
  }
  return cuts.map((start, batch) => order.slice(start, cuts[batch + 1]));
}

/**
 * Where the batches of the sorted lengths begin, so that what is computed and `start` for each batch are the least: of
 * all ways to cut within the limits the cheapest.
 */
function cheapestCuts(
  lengths: Float64Array,
  limits: BatchLimits,
  start: number,
): readonly number[] {
  const count = lengths.length;
  /** The least cost of the first rows, and where the last batch of them begins. */
  const costs = new Float64Array(count + 1);
  const firsts = new Int32Array(count + 1);
  for (let end = 1; end <= count; end += 1) {
    let least = Infinity;
    for (let first = end - 1; first >= 0 && end - first <= limits.texts; first -= 1) {
      const computed = (end - first) * (lengths[first] ?? 0);
      if (computed > limits.tokens && end - first > 1) break;
      const cost = (costs[first] ?? 0) + computed + start;
      if (cost >= least) continue;
      least = cost;
      firsts[end] = first;
    }
    costs[end] = least;
  }
  const cuts: number[] = [];
  for (let end = count; end > 0; end = firsts[end] ?? 0) cuts.push(firsts[end] ?? 0);
  return cuts.toReversed();
}

function computedIn(lengths: Float64Array, cuts: readonly number[]): number {
  return cuts.reduce((sum, start, batch) => {
    const rows = (cuts[batch + 1] ?? lengths.length) - start;
    return sum + rows * (lengths[start] ?? 0);
  }, 0);
}
