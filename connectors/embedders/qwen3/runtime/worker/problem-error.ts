import type { Problem } from "../protocol.ts";

/** What a thread cannot do, in a form that can be sent; the other side makes a fault of it. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;

  constructor(problem: Problem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}
