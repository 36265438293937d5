import type { PineconeOperation } from "./behaviour.ts";

export interface PineconeStats {
  /** Requests that found an operation. */
  readonly requests: number;
  readonly byOperation: Readonly<Partial<Record<PineconeOperation, number>>>;
  /** Bytes of their bodies. */
  readonly bytes: number;
  readonly maxConcurrent: number;
}
