import { AssertionError } from "node:assert";

/** States what must be true. A failure is a bug of ours: it stops the run with exit code 1. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError({ message });
}
