/** The guard counts deletions over this long. */
export const guardWindowMs = 24 * 60 * 60 * 1000;

/**
 * How many of `documents` may be deleted within the window without being asked: a fraction, but small sources may lose
 * up to ten documents as long as that is at most half of them.
 */
export function allowedDeletions(documents: number, maxFraction: number): number {
  const fraction = Math.ceil(maxFraction * documents);
  return Math.max(fraction, Math.min(10, Math.floor(documents / 2)));
}

export interface GuardInput {
  /** Documents of the source that the guard goes by (`guardedDocuments`), those to be deleted included. */
  readonly indexed: number;
  /** Deletions already carried out within the window. */
  readonly deletedInWindow: number;
  readonly wanted: number;
  readonly maxFraction: number;
  /** Why absence proves nothing and every deletion has to be allowed by the user. */
  readonly untrusted: "identity" | "removed" | undefined;
  /** What the user allowed and was not used up: a number of documents, or any (`Infinity`). */
  readonly userAllows: number | undefined;
}

export type GuardDecision =
  /** `by`: only what the guard lets go is charged to its window. */
  | { readonly kind: "delete"; readonly by: "guard" | "user" }
  | {
      readonly kind: "withhold";
      readonly allowed: number;
      readonly reason: "fraction" | "identity" | "removed";
    };

/** Decides on the deletions of one source: all of them, or none. */
export function guardDeletions(input: GuardInput): GuardDecision {
  if (input.wanted === 0) return { kind: "delete", by: "guard" };
  const total = input.indexed + input.deletedInWindow;
  const allowed = allowedDeletions(total, input.maxFraction);
  const left = input.untrusted === undefined ? Math.max(0, allowed - input.deletedInWindow) : 0;
  if (input.wanted <= left) return { kind: "delete", by: "guard" };
  if (input.userAllows !== undefined && input.wanted <= input.userAllows) {
    return { kind: "delete", by: "user" };
  }
  return { kind: "withhold", allowed: left, reason: input.untrusted ?? "fraction" };
}
