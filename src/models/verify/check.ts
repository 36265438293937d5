import type { MistakeName } from "./mistakes.ts";

/** What one check found. */
export interface Check {
  readonly name: string;
  readonly verdict: "right" | "wrong" | "skipped";
  /** What was measured and what was expected, or why it could not be checked. */
  readonly detail: string;
  /** The mistakes that give such an answer, likeliest first; of a wrong one only. */
  readonly suspects: readonly MistakeName[];
}

/** A mistake that the answers themselves show, or at least point at. */
export interface Finding {
  readonly mistake: string;
  /** What it is and how to mend it. */
  readonly meaning: string;
  /** How it was told. */
  readonly evidence: string;
  /** Nothing else gives such answers. */
  readonly certain: boolean;
}

export function right(name: string, detail: string): Check {
  return { name, verdict: "right", detail, suspects: [] };
}

export function wrong(name: string, detail: string, suspects: readonly MistakeName[]): Check {
  return { name, verdict: "wrong", detail, suspects };
}

export function skipped(name: string, detail: string): Check {
  return { name, verdict: "skipped", detail, suspects: [] };
}
