/** Each bucket ends 2^(1/8), about 9 %, above the one below it. */
const bucketsPerOctave = 8;
/** The end of the first bucket, in milliseconds; the last one ends beyond two hours. */
const first = 0.01;
const bucketCount = 30 * bucketsPerOctave;

/** Counts how long calls took, in a few kilobytes however many there are, and tells quantiles to within 9 %. */
export class Latencies {
  readonly #counts = new Float64Array(bucketCount);
  #total = 0;
  #longest = 0;

  /** How many were recorded. */
  get count(): number {
    return this.#total;
  }

  record(milliseconds: number): void {
    const octaves = Math.log2(Math.max(milliseconds, first) / first);
    const bucket = Math.min(Math.ceil(octaves * bucketsPerOctave), bucketCount - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    this.#longest = Math.max(this.#longest, milliseconds);
  }

  /** The milliseconds within which this share (0 to 1) of the calls ended; never too few, 0 when there were none. */
  quantile(share: number): number {
    if (this.#total === 0) return 0;
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen < wanted) continue;
      const end = first * 2 ** (bucket / bucketsPerOctave);
      return bucket === bucketCount - 1 ? this.#longest : Math.min(end, this.#longest);
    }
    return this.#longest;
  }
}
