import { type RunEvent, RunMeter } from "../engine/index.ts";
import { LoopDelay } from "../flow/loop-delay.ts";
import { GpuWatch, isHere } from "./gpu-watch.ts";

/** A run's meter with what measures the process and its machine besides. */
export class MeteredRun {
  readonly meter: RunMeter;
  readonly #loop = new LoopDelay();
  readonly #gpus = new GpuWatch();

  constructor() {
    this.meter = new RunMeter({ loop: this.#loop, gpus: this.#gpus });
  }

  start(): void {
    this.#loop.start();
  }

  /** Once the embedder is open, its places tell whether a GPU of this machine may be at work. */
  observe(event: RunEvent): void {
    if (event.kind !== "listing-started") return;
    const { places } = this.meter.read().embedding;
    if (places.some(({ place }) => isHere(place))) this.#gpus.start();
  }

  stop(): void {
    this.#loop.stop();
    this.#gpus.stop();
  }
}
