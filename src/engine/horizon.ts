import type { DocumentKey, TargetRow } from "../contracts/index.ts";
import type { RunContext } from "./context.ts";
import type { Target } from "./targets.ts";

/**
 * Knows until when a write of unknown outcome may still land. A document whose last attempt at a target did not settle
 * is neither written again nor forgotten there before that.
 */
export class WriteHorizon {
  readonly #context: RunContext;
  /** Attempts of this run that did not settle: when they can no longer land, on the monotonic clock. */
  readonly #attempts = new Map<string, number>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Milliseconds to wait before the document may be written at the target; 0 when it may be now. */
  remainingMs(target: Target, key: DocumentKey, row: TargetRow | undefined): number {
    if (row?.status !== "begun") return 0;
    const horizon = target.collection.limits.writeHorizonMs;
    const until =
      this.#attempts.get(attemptKey(target, key)) ?? this.#context.startedMonotonic + horizon;
    return Math.max(0, until - this.#context.clock.monotonic());
  }

  /** An attempt ended without settling; `ambiguous` when something of it may still land. */
  unsettled(target: Target, key: DocumentKey, ambiguous: boolean): void {
    const horizon = ambiguous ? target.collection.limits.writeHorizonMs : 0;
    this.#attempts.set(attemptKey(target, key), this.#context.clock.monotonic() + horizon);
  }

  settled(target: Target, key: DocumentKey): void {
    this.#attempts.delete(attemptKey(target, key));
  }
}

function attemptKey(target: Target, key: DocumentKey): string {
  return JSON.stringify([target.id, key.source, key.id]);
}
