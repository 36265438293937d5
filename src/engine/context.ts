import type { Clock, FaultLike, StateSession } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { Gate, raceAbort, retry } from "../flow/index.ts";
import type { RunEvent } from "./events.ts";
import type { Pipeline } from "./pipeline.ts";
import { Ledger } from "./ledger.ts";
import { RunMeter } from "./meter.ts";
import { Tally } from "./tally.ts";

/** What the user asks of a run. */
export interface RunOptions {
  /** Re-reads every document, whatever its revision. */
  readonly full?: boolean;
  /** Lets this many withheld deletions go (`Infinity`: any). */
  readonly allowDeletions?: number;
  /** Allows embedding everything again for a changed recipe. */
  readonly reprocess?: boolean;
  /** Stops pulling after this many listed documents; nothing is swept then. */
  readonly limit?: number;
  /** Only these sources, sinks. */
  readonly sources?: readonly string[];
  readonly sinks?: readonly string[];
  /** Keeps following the sources after the listing, until stopped. */
  readonly follow?: boolean;
  /** First request to stop: drain, settle, save the cursor. */
  readonly stop?: AbortSignal;
  /** Second request to stop: aborts every call. */
  readonly signal?: AbortSignal;
  readonly observe?: (event: RunEvent) => void;
  /** Measures the run, for whoever wants to look while it works. */
  readonly meter?: RunMeter;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** What every part of a run shares. */
export class RunContext {
  readonly pipeline: Pipeline;
  readonly session: StateSession;
  readonly options: RunOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tally = new Tally();
  readonly ledger: Ledger;
  readonly meter: RunMeter;
  /** Bounds bytes of documents held in memory, and tokens between chunker and embedder. */
  readonly memory: Gate;
  readonly tokens: Gate;
  /** Monotonic time at which the session began: what an earlier process began may land until a horizon after it. */
  readonly startedMonotonic: number;
  readonly #hard = new AbortController();
  readonly #stop = new AbortController();
  /** The first fault that ends the run, if any. */
  fatal: FaultLike | undefined;
  /** The first fault that took a source or a sink out of the run, which goes on without it. */
  lost: FaultLike | undefined;
  /** A bug of ours, thrown at the end of the run. */
  bug: unknown;
  #deletionsAllowed: number | undefined;

  constructor(pipeline: Pipeline, session: StateSession, options: RunOptions, clock: Clock) {
    this.pipeline = pipeline;
    this.session = session;
    this.options = options;
    this.clock = clock;
    this.random = options.random ?? Math.random;
    this.memory = new Gate(pipeline.policy.limits.memoryBytes / 2);
    this.tokens = new Gate(pipeline.policy.limits.tokensInFlight);
    this.meter = options.meter ?? new RunMeter();
    this.startedMonotonic = clock.monotonic();
    this.ledger = new Ledger(this);
    this.#deletionsAllowed = options.allowDeletions;
    const hard = (signal: AbortSignal): void => {
      if (signal.aborted) this.#hard.abort(signal.reason);
      signal.addEventListener("abort", () => this.#hard.abort(signal.reason), { once: true });
    };
    const { lost } = session;
    const lose = (): void => {
      if (isFault(lost.reason)) this.fatal ??= lost.reason;
    };
    lost.addEventListener("abort", lose, { once: true });
    hard(lost);
    if (options.signal !== undefined) hard(options.signal);
    const { stop } = options;
    if (stop?.aborted === true) this.#stop.abort(stop.reason);
    stop?.addEventListener("abort", () => this.stopPulling(), { once: true });
    this.#hard.signal.addEventListener("abort", () => this.#stop.abort(), { once: true });
  }

  /** Aborts every call in flight. */
  get signal(): AbortSignal {
    return this.#hard.signal;
  }

  /** No new documents are pulled; what is in flight goes on. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the user asked to stop, once or twice. */
  get interrupted(): boolean {
    return this.options.stop?.aborted === true || this.options.signal?.aborted === true;
  }

  /** How many of the deletions that the user allowed were not used yet. */
  get deletionsAllowed(): number | undefined {
    return this.#deletionsAllowed;
  }

  useAllowance(deletions: number): void {
    if (this.#deletionsAllowed !== undefined) this.#deletionsAllowed -= deletions;
  }

  stopPulling(): void {
    if (this.#stop.signal.aborted) return;
    this.emit({ kind: "stopping" });
    this.#stop.abort();
  }

  emit(event: RunEvent): void {
    this.tally.observe(event);
    this.meter.observe(event);
    this.options.observe?.(event);
  }

  /** Goes on without a source or a sink; the run does not succeed. */
  lose(component: string, error: unknown): void {
    if (!isFault(error)) {
      this.fail(component, error);
      return;
    }
    if (this.signal.aborted) return;
    this.lost ??= error;
    this.emit({ kind: "component-failed", component, fault: error });
  }

  /** Ends the run because of a component: nothing new is pulled, what can settle settles. */
  fail(component: string, error: unknown): void {
    if (!isFault(error)) {
      if (!this.signal.aborted) {
        this.bug ??= error;
        this.#hard.abort(error);
      }
      return;
    }
    if (this.fatal === undefined && !this.signal.aborted) {
      this.fatal = error;
      this.emit({ kind: "component-failed", component, fault: error });
    }
    this.stopPulling();
  }

  /**
   * Calls a component with the run's retry policy. An abort ends it at once, also when the component hangs; a request
   * to stop ends its waiting.
   */
  retry<T>(component: string, call: () => Promise<T>, ambiguous: boolean): Promise<T> {
    const { clock, random } = this;
    const policy = this.pipeline.policy.retry;
    const onRetry = (fault: FaultLike, delayMs: number): void =>
      this.emit({ kind: "retrying", component, fault, delayMs });
    const giveUp = this.stopping;
    const options = { policy, clock, random, ambiguous, giveUp, onRetry };
    return retry(() => raceAbort(call(), this.signal), options, this.signal);
  }
}
