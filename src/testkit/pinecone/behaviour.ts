import type { Json } from "../../contracts/index.ts";
import type { Script } from "../script.ts";
import type { controlRoutes } from "./control-plane.ts";
import type { dataRoutes } from "./data-plane.ts";

export type PineconeOperation = keyof typeof controlRoutes | keyof typeof dataRoutes;

/** How the client finds out that it gets no answer, or which status it gets instead of one. */
export type PineconeSilence = "reset" | "hang" | number;

/** How the emulator treats one request. Without one it is honest. */
export type PineconeBehaviour =
  /** A status with a body, in the plane's own form unless given; nothing is done. `retryAfter` is sent as it is. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string;
      readonly type?: string;
      readonly retryAfter?: string;
    }
  /** Status 429 with the service's words; nothing is done. */
  | { readonly kind: "rate-limit"; readonly retryAfter?: string }
  /** Half of the honest answer, then the connection closes. */
  | { readonly kind: "cut-off" }
  /** The request is served after this long. */
  | { readonly kind: "slow"; readonly ms: number }
  /** No answer at all, until the client goes or the emulator closes; nothing is done. */
  | { readonly kind: "hang" }
  /** The connection is reset before a byte of the answer; nothing is done. */
  | { readonly kind: "reset" }
  /** The request is served, and the client does not learn it. A reset unless said otherwise. */
  | { readonly kind: "lost-answer"; readonly silence?: PineconeSilence }
  /** The client is told nothing, at once, and the request is served this much later. */
  | { readonly kind: "late"; readonly ms: number; readonly silence?: PineconeSilence };

/** A request as a behaviour may look at it. */
export interface PineconeRequest {
  /** From 1, in the order of arrival. */
  readonly number: number;
  readonly operation: PineconeOperation;
  /** The index that the request is about; undefined for lists of indexes and for new ones. */
  readonly index: string | undefined;
  /** An empty object when nothing was sent, undefined when it was not JSON or too large to keep. */
  readonly body: Json | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type PineconeScript = Script<PineconeRequest, PineconeBehaviour>;
