import { Fault } from "../../../../src/faults/index.ts";

let taken = false;

/** Two WebGPU sessions that run at once in one process end it, so that there is one at most. */
export class WebgpuPermit {
  #given = false;

  private constructor() {
    taken = true;
  }

  static take(): WebgpuPermit {
    if (!taken) return new WebgpuPermit();
    throw new Fault(
      "embed.device",
      "`webgpu` is in use by another model of this process, and only one can use it. Choose another `device` for one of them.",
    );
  }

  /** Lets another session have it; once. */
  give(): void {
    if (!this.#given) taken = false;
    this.#given = true;
  }
}
