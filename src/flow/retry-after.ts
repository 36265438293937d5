/** The longest wait that is honoured; a service that asks for more is asked again after this. */
const longestMs = 3_600_000;

/** All forms of an HTTP date begin with a day; `Date.parse` alone reads a year out of almost anything. */
const httpDate = /^[A-Z][a-z]{2,8},? /;

/** Milliseconds of a `Retry-After` header, in seconds or as an HTTP date; undefined when it says nothing of use. */
export function parseRetryAfter(value: string | null | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined;
  const wait = seconds ?? (httpDate.test(text) ? Date.parse(text) - now : Number.NaN);
  if (Number.isNaN(wait)) return undefined;
  return Math.round(Math.min(Math.max(wait, 0), longestMs));
}
