import type { ComponentNote, PlaceMeasures } from "../../../../src/contracts/index.ts";
import { Fault } from "../../../../src/faults/index.ts";
import type { RuntimeOptions } from "./options.ts";

/** A model, loaded on one device or several, each with a worker thread of its own. */
export class Runtime {
  /** As `cuda:0`, `webgpu`, `cpu`. */
  readonly devices: readonly string[] = [];
  /** Calls of `run` that keep every device busy. */
  readonly concurrency: number = 2;

  /** Loads the model and tests it. Rejects with a fault that says what to do. */
  static async open(options: RuntimeOptions, signal: AbortSignal): Promise<Runtime> {
    signal.throwIfAborted();
    throw new Fault("package.missing", `The runtime cannot run \`${options.model.file}\` yet.`);
  }

  /** Which device was chosen, and why others were not. */
  notes(): readonly ComponentNote[] {
    return [];
  }

  /**
   * Vectors in the order of the rows: the last token's, `hidden` long, normalised only where the graph does it.
   * Rejects with a `document` fault where rows are at fault, with a `component` fault where the device is.
   */
  async run(rows: readonly Int32Array[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    signal.throwIfAborted();
    return rows.map(() => new Float32Array(0));
  }

  measures(): readonly PlaceMeasures[] {
    return [];
  }

  /** Ends every worker. Never rejects; calls under way do. */
  async close(): Promise<void> {
    await Promise.resolve();
  }
}
