import { Fault, type FaultCodeName } from "../../faults/index.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** How likely a call of a component goes wrong, from 0 to 1. */
export interface FaultRates {
  readonly crash: number;
  readonly error: number;
  /** The call takes effect, but its answer is lost. */
  readonly lostAnswer: number;
  /** The call takes effect only later, after its caller gave it up. */
  readonly late: number;
  /** Some operations of a batch fail. */
  readonly partial: number;
}

export const noFaults: FaultRates = { crash: 0, error: 0, lostAnswer: 0, late: 0, partial: 0 };

/** A simulated process: everything it calls may fail, and when it dies nothing ever answers it again. */
export class SimulatedProcess {
  readonly random: Random;
  readonly timeline: Timeline;
  readonly rates: FaultRates;
  dead = false;

  constructor(timeline: Timeline, random: Random, rates: FaultRates) {
    this.timeline = timeline;
    this.random = random;
    this.rates = rates;
  }

  /** Never settles: what a dead process waits for. */
  hang<T>(): Promise<T> {
    return new Promise<T>(() => undefined);
  }

  /** Takes a moment, so that other work runs in between. */
  async pause(): Promise<void> {
    if (this.dead) return this.hang();
    const milliseconds = this.random.below(4);
    if (milliseconds === 0) return;
    await new Promise<void>((resolve) => {
      this.timeline.after(milliseconds, () => {
        if (!this.dead) resolve();
      });
    });
  }

  /** Does `effect` as one call of a component that may fail or die before or after it. */
  async call<T>(code: FaultCodeName, effect: () => T): Promise<T> {
    await this.pause();
    if (this.#dies()) return this.hang();
    if (this.random.chance(this.rates.error)) throw new Fault(code, "The call failed.");
    const result = effect();
    if (this.#dies()) return this.hang();
    if (this.random.chance(this.rates.lostAnswer)) {
      throw new Fault(code, "The answer was lost.", { ambiguous: true });
    }
    await this.pause();
    if (this.dead) return this.hang();
    return result;
  }

  #dies(): boolean {
    if (!this.dead && this.random.chance(this.rates.crash)) this.dead = true;
    return this.dead;
  }

  /** Whether the process dies here. */
  dies(): boolean {
    return this.#dies();
  }
}
