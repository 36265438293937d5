import type { DeviceKind, GraphModel } from "./options.ts";

/** What a thread is asked. It answers each request once, with its number, one after the other. */
export type Request = LoadRequest | RunRequest | CloseRequest;

/** Loads the model. Comes first, once. */
export interface LoadRequest {
  readonly id: number;
  readonly kind: "load";
  readonly model: GraphModel;
  readonly device: DeviceKind;
  readonly deviceId: number;
  readonly threads?: number;
}

/** Computes one batch: the rows' ids one after the other, and how many each has. */
export interface RunRequest {
  readonly id: number;
  readonly kind: "run";
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  /** One number in shared memory: when it is not 0 any more, nobody waits for this batch. */
  readonly cancelled: Int32Array;
}

/** Gives the model back; the thread then ends by itself. */
export interface CloseRequest {
  readonly id: number;
  readonly kind: "close";
}

export type Answer = Loaded | Vectors | Failed | Closed;

export interface Loaded {
  readonly id: number;
  readonly kind: "loaded";
  /** The graph gives a vector for each text, not for each token. */
  readonly pooled: boolean;
  /** The most rows of a run, where the graph fixes them. */
  readonly rows?: number;
}

export interface Vectors {
  readonly id: number;
  readonly kind: "vectors";
  /** One after the other, in the order of the rows. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly milliseconds: number;
}

export interface Failed {
  readonly id: number;
  readonly kind: "failed";
  readonly problem: Problem;
  /** What the library said, or what is wrong with the graph. */
  readonly message: string;
}

export interface Closed {
  readonly id: number;
  readonly kind: "closed";
}

/**
 * What went wrong in the thread: the package cannot be loaded, the device cannot be used, the file is no embedder, memory
 * ran out, the model gave NaN or infinite, the batch was cancelled before it began, or the run failed.
 */
export type Problem =
  | "package"
  | "device"
  | "model"
  | "memory"
  | "not-finite"
  | "cancelled"
  | "run";
