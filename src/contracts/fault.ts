/**
 * What to do after a fault:
 * - `never`: the same call will fail again until the document, the recipe or the user changes something;
 * - `later`: the same call may succeed after a while (full-jitter backoff, bounded);
 * - `smaller`: the same items may succeed in smaller calls (the caller bisects down to the guilty item).
 */
export type RetryAdvice = "never" | "later" | "smaller";

/**
 * Whose fault it is:
 * - `document`: one document or item is at fault; it becomes a dead letter, the others go on;
 * - `component`: a source, embedder, sink or store is at fault; the run pauses, then ends with exit code 5
 *   (or 4 for a refusal). Makes no dead letters.
 */
export type FaultScope = "document" | "component";

/**
 * The shape of every operating error. The one implementation is `src/faults/fault.ts`; identity is by marker, not by
 * `instanceof`, so that two copies of the package understand each other.
 */
export interface FaultLike extends Error {
  /** A code of the table in `src/faults/codes.ts`. */
  readonly code: string;
  readonly retry: RetryAdvice;
  readonly scope: FaultScope;
  /** The request may have taken effect although it failed (timeout, lost connection). */
  readonly ambiguous: boolean;
  /** The server asked to wait this long, in milliseconds. */
  readonly retryAfterMs?: number;
}
