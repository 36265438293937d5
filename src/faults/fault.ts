import type { FaultLike, FaultScope, RetryAdvice } from "../contracts/fault.ts";
import { faultCodes, type FaultCodeName } from "./codes.ts";

const marker = Symbol.for("sluice.fault");

export interface FaultOptions {
  readonly cause?: unknown;
  /** Overrides the table's advice where the place knows better. */
  readonly retry?: RetryAdvice;
  readonly scope?: FaultScope;
  readonly ambiguous?: boolean;
  readonly retryAfterMs?: number;
}

/**
 * An operating error: something outside sluice went wrong and is handled. Bugs of ours are `AssertionError`s.
 * The message says what happened, to which component or document, and what to do; never a secret or document text.
 */
export class Fault extends Error implements FaultLike {
  override readonly name = "Fault";
  readonly code: FaultCodeName;
  readonly retry: RetryAdvice;
  readonly scope: FaultScope;
  readonly ambiguous: boolean;
  readonly retryAfterMs?: number;

  constructor(code: FaultCodeName, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? faultCodes[code].retry;
    this.scope = options.scope ?? faultCodes[code].scope;
    this.ambiguous = options.ambiguous ?? false;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, marker, { value: true });
  }
}

/** Whether this is a fault, also one of another copy of the package. */
export function isFault(error: unknown): error is FaultLike {
  return error instanceof Error && (error as { [marker]?: unknown })[marker] === true;
}
