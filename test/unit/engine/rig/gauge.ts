/** Counts what is going on at once, and remembers the most. */
export class Gauge {
  now = 0;
  most = 0;

  /** Adds weight; the function returned takes it away. */
  enter(weight = 1): () => void {
    this.now += weight;
    this.most = Math.max(this.most, this.now);
    return () => {
      this.now -= weight;
    };
  }
}
