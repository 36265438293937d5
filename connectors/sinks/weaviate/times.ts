/** Weaviate compares dates as 64-bit nanoseconds since 1970, and silently wrongly beyond; these years are whole within. */
const earliestMs = Date.UTC(1678, 0, 1);
const latestMs = Date.UTC(2262, 0, 1) - 1;

/** Whether a time can be kept as a date and still be compared. */
export function isStorableTime(milliseconds: number): boolean {
  return milliseconds >= earliestMs && milliseconds <= latestMs;
}

/** The nearest time that can be kept. */
export function nearestStorableTime(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, earliestMs), latestMs);
}

/** As the server wants it. */
export function toDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds of a date as the server gives it; what is finer is cut off. Undefined when it is no date. */
export function fromDate(text: string): number | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
