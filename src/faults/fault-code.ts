import type { FaultScope, RetryAdvice } from "../contracts/fault.ts";

/** What is told of every fault of one kind. */
export interface FaultCode {
  readonly retry: RetryAdvice;
  readonly scope: FaultScope;
  /** What the documentation says: what it means and what to do. */
  readonly meaning: string;
}

/** An entry of the table. */
export function code(scope: FaultScope, retry: RetryAdvice, meaning: string): FaultCode {
  return { scope, retry, meaning };
}
