/** How a call to the server ended when it did not end well. */
export type WireFailure =
  /** No connection was made, so nothing was sent; or the server says that it did not look at the request. */
  | "unreachable"
  /** The connection was lost after the request was sent, or the answer was cut off. */
  | "cut-off"
  /** No answer came in time. */
  | "timeout"
  /** The server answered with an error. */
  | "status"
  /** The answer is larger than what is accepted. */
  | "too-large"
  /** What answered does not speak the protocol. */
  | "protocol";

export interface WireErrorOptions {
  readonly protocol: "REST" | "gRPC";
  readonly failure: WireFailure;
  /** The HTTP status of a REST answer, the gRPC status of a gRPC answer. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** What went wrong on the wire, before it is known what that means for the caller. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly protocol: "REST" | "gRPC";
  readonly failure: WireFailure;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: WireErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.protocol = options.protocol;
    this.failure = options.failure;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}
