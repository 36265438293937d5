import type { Script } from "./script.ts";

/** How the server of `startEmbeddingServer` answers one request. Without one it answers honestly. */
export type EmbeddingBehaviour =
  /** A status with a body; `retryAfter` is sent as it is. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string;
      readonly retryAfter?: string;
      readonly location?: string;
    }
  /** Status 200 with this body, sent as JSON unless `type` says otherwise. */
  | { readonly kind: "body"; readonly body: string; readonly type?: string }
  /** A login page with status 200. */
  | { readonly kind: "html" }
  /** Half of the honest answer, then the connection closes. */
  | { readonly kind: "cut-off" }
  /** Half of the honest answer, announced as whole. */
  | { readonly kind: "half" }
  /** More bytes than any honest answer, without announcing how many; stops only when nobody reads on. */
  | { readonly kind: "endless" }
  | { readonly kind: "too-few" }
  | { readonly kind: "too-many" }
  /** Vectors of another length; `only` names the one text that is wrong. */
  | { readonly kind: "wrong-length"; readonly dimension: number; readonly only?: number }
  /** A number of one vector is not finite: as JSON shows it, as JSON libraries replace it, or inside base64. */
  | { readonly kind: "not-finite"; readonly number: "NaN" | "Infinity" | "null" | "base64" }
  /** All-zero vectors, for all texts or for those that hold `word`. */
  | { readonly kind: "zero"; readonly word?: string }
  /** The honest vectors in another order, their `index` right. */
  | { readonly kind: "shuffled" }
  | { readonly kind: "duplicate-index" }
  | { readonly kind: "no-index" }
  /** Vectors of another model. */
  | { readonly kind: "other-model" }
  /** Numbers although base64 was asked. */
  | { readonly kind: "floats" }
  /** The honest answer after this long. */
  | { readonly kind: "slow"; readonly ms: number }
  /** No answer at all, until the client goes or the server closes. */
  | { readonly kind: "hang" }
  /** The connection is reset before a byte of the answer. */
  | { readonly kind: "reset" };

/** A request as a behaviour may look at it. */
export interface EmbeddingRequest {
  /** From 1, in the order of arrival. */
  readonly number: number;
  readonly texts: readonly string[];
  readonly model: string;
  readonly encoding: string;
  readonly dimensions?: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type EmbeddingScript = Script<EmbeddingRequest, EmbeddingBehaviour>;
