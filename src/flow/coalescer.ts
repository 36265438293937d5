import type { Clock } from "../contracts/index.ts";
import { notNeeded } from "./abort.ts";
import type { Outcome } from "./bisect.ts";

export interface CoalescerOptions<I, R> {
  /** Read before every batch, as a component may only know its limits once it is open. */
  readonly limits: () => {
    readonly items: number;
    readonly weight: number;
    readonly concurrent: number;
  };
  readonly weigh: (item: I) => number;
  /** Does one batch; outcomes in the order of the items. A rejection fails every item of the batch. */
  readonly call: (items: readonly I[]) => Promise<readonly Outcome<R>[]>;
  /** A batch that is not full goes out after this long, if no call is under way. */
  readonly maxWaitMs: number;
  /** The same while a call is under way; as long as `maxWaitMs` when left out. Longer makes larger batches. */
  readonly busyWaitMs?: number;
  readonly clock: Clock;
}

interface Waiting<I, R> {
  readonly item: I;
  readonly weight: number;
  readonly settle: PromiseWithResolvers<Outcome<R>>;
}

/**
 * Makes batches out of single items of many callers, so that each caller stays a straight line. A batch goes out when
 * it is full, or when it has waited for `maxWaitMs` and nothing is under way, or for `busyWaitMs`.
 */
export class Coalescer<I, R> {
  readonly #options: CoalescerOptions<I, R>;
  #waiting: Waiting<I, R>[] = [];
  #weight = 0;
  #running = 0;
  #timer: AbortController | undefined;
  /** Somebody has waited for `maxWaitMs`: what is there goes out once nothing is under way. */
  #due = false;
  /** Somebody has waited for `busyWaitMs`: the next free call takes what is there. */
  #overdue = false;

  constructor(options: CoalescerOptions<I, R>) {
    this.#options = options;
  }

  /** Items waiting for a batch. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Their weight. */
  get weight(): number {
    return this.#weight;
  }

  submit(item: I): Promise<Outcome<R>> {
    const settle = Promise.withResolvers<Outcome<R>>();
    const weight = this.#options.weigh(item);
    this.#waiting.push({ item, weight, settle });
    this.#weight += weight;
    this.#pump();
    return settle.promise;
  }

  #pump(): void {
    const limits = this.#options.limits();
    while (this.#waiting.length > 0 && this.#running < limits.concurrent) {
      const full = this.#waiting.length >= limits.items || this.#weight >= limits.weight;
      const waited = this.#overdue || (this.#due && this.#running === 0);
      if (!full && !waited) break;
      this.#send(this.#take(limits));
    }
    if (this.#waiting.length > 0 && !this.#overdue) this.#startTimer();
    if (this.#waiting.length === 0) this.#rest();
  }

  #take(limits: { readonly items: number; readonly weight: number }): Waiting<I, R>[] {
    let weight = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && (count >= limits.items || weight + waiting.weight > limits.weight)) break;
      weight += waiting.weight;
      count += 1;
    }
    this.#weight -= weight;
    return this.#waiting.splice(0, count);
  }

  #send(batch: readonly Waiting<I, R>[]): void {
    this.#running += 1;
    const done = (): void => {
      this.#running -= 1;
      this.#pump();
    };
    this.#options
      .call(batch.map((waiting) => waiting.item))
      .then(
        (outcomes) => {
          for (const [index, waiting] of batch.entries()) {
            const outcome = outcomes[index];
            if (outcome === undefined)
              waiting.settle.reject(new RangeError("An outcome is missing."));
            else waiting.settle.resolve(outcome);
          }
        },
        (error: unknown) => {
          for (const waiting of batch) waiting.settle.reject(error);
        },
      )
      .then(done, done);
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return;
    const timer = new AbortController();
    this.#timer = timer;
    const { maxWaitMs, busyWaitMs = maxWaitMs, clock } = this.#options;
    const wait = async (): Promise<void> => {
      await clock.sleep(maxWaitMs, timer.signal);
      if (this.#timer !== timer) return;
      this.#due = true;
      this.#pump();
      if (busyWaitMs > maxWaitMs) await clock.sleep(busyWaitMs - maxWaitMs, timer.signal);
      if (this.#timer !== timer) return;
      this.#overdue = true;
      this.#pump();
    };
    wait().catch(() => undefined);
  }

  #rest(): void {
    this.#timer?.abort(notNeeded);
    this.#timer = undefined;
    this.#due = false;
    this.#overdue = false;
  }
}
