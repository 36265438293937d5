import type { Clock } from "../../../../src/contracts/index.ts";

/** Where a model runs; `auto` takes the first that works and is not far slower than the CPU. */
export type Device = "auto" | DeviceKind;

export type DeviceKind = "cuda" | "webgpu" | "coreml" | "dml" | "cpu";

/** What of a model the runtime needs; whoever opens it has read and checked all of it. */
export interface GraphModel {
  /** The absolute path of the .onnx file; external data lies beside it. */
  readonly file: string;
  /** The native dimension. */
  readonly hidden: number;
  /** Attention layers, and heads of keys and values with their width: the shape of empty caches. */
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Heads of queries, for the memory that attention takes; four for each of `kvHeads` when left out. */
  readonly heads?: number;
  /** What rows are filled up with. */
  readonly padId: number;
  /** Ids are below it. */
  readonly vocabulary: number;
}

export interface RuntimeOptions {
  readonly model: GraphModel;
  readonly device: Device;
  /** Which of several devices of the kind; none: the first. */
  readonly deviceIds: readonly number[];
  /** Threads of the CPU; as many as it has cores when left out. */
  readonly threads?: number;
  /**
   * Rows of ids that a device must compute as the CPU does: of several lengths, since padding errs between them, and one of
   * at least 40 tokens if the model reads so many, since some devices are right with short texts only.
   */
  readonly selfTest: readonly Int32Array[];
  readonly clock: Clock;
}
