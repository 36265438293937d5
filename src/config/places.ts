import type { Position } from "./problem.ts";

/**
 * Tells where the offsets of a text stand: lines end with `\n`, an offset behind the text is its end. The YAML parser's
 * own counter misses line ends inside a quote that is never closed.
 */
export function placesIn(text: string, file: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) {
    starts.push(end + 1);
  }
  return (given) => {
    const offset = Math.min(given, text.length);
    const line = lastAtMost(starts, offset);
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

/** The index of the last of ascending numbers that is not above a bound; the first is not. */
function lastAtMost(numbers: readonly number[], bound: number): number {
  let low = 0;
  let high = numbers.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= bound) low = middle;
    else high = middle;
  }
  return low;
}
