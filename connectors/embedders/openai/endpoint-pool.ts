import type { Clock } from "../../../src/contracts/index.ts";
import { assert, Fault, isFault } from "../../../src/faults/index.ts";
import { raceAbort } from "../../../src/flow/index.ts";
import { asksToWait, type Away, shortestWait } from "./away.ts";
import { type CallOutcome, CallWindow } from "./call-window.ts";
import type { Endpoint } from "./endpoint.ts";

export interface PoolOptions {
  readonly clock: Clock;
  /** The most calls under way at one endpoint. */
  readonly concurrency: number;
  /** Proves that an endpoint gives the vectors of the others, and of its own before. Bounded in time. */
  readonly prove: (endpoint: Endpoint) => Promise<void>;
  /** Whether there is an answer that a proof can be held against. */
  readonly isProvable: () => boolean;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/** After this many failures in a row an endpoint is left alone, when there are others. */
const failuresAllowed = 3;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** An endpoint, and how it does. */
interface Member {
  readonly endpoint: Endpoint;
  readonly window: CallWindow;
  /** Weight of the calls under way. */
  load: number;
  /** Failures since the last success. */
  failures: number;
  /** Nothing is sent but the proof, which is tried from this moment on. */
  unproven: { readonly retryAt: number; readonly pauseMs: number } | undefined;
  proof: Promise<void> | undefined;
  /** It gives other vectors: it is never asked again. */
  refused: Fault | undefined;
  /** Nothing is sent until the moment that it named, when there are others. */
  away: Away | undefined;
}

/** A place for a call, and how to give it back. */
interface Entered {
  readonly member: Member;
  readonly end: (outcome: CallOutcome) => void;
}

/**
 * Spreads calls over the endpoints: each goes where least is under way, within the endpoint's window. One that fails
 * repeatedly, or whose connection was lost, gets no calls until it has proved itself again, after growing pauses.
 */
export class EndpointPool {
  readonly #members: readonly Member[];
  readonly #options: PoolOptions;
  #waiting: (() => void)[] = [];

  constructor(endpoints: readonly Endpoint[], options: PoolOptions) {
    this.#options = options;
    const isSeveral = endpoints.length > 1;
    options.closed.addEventListener("abort", () => this.#wake(), { once: true });
    this.#members = endpoints.map((endpoint) => ({
      endpoint,
      window: new CallWindow(options.concurrency),
      load: 0,
      failures: 0,
      unproven: isSeveral ? { retryAt: 0, pauseMs: 0 } : undefined,
      proof: undefined,
      refused: undefined,
      away: undefined,
    }));
  }

  /**
   * How many calls may be given at once. Twice what may be under way, as callers that were refused sleep a while; the
   * others wait here.
   */
  get calls(): number {
    const members = this.#members.filter(({ refused }) => refused === undefined);
    const most = members.reduce((sum, { window }) => sum + window.most, 0);
    const present = members.filter((one) => isUsable(one) && !this.#isAway(one));
    const size = present.reduce((sum, { window }) => sum + window.size, 0);
    return Math.max(1, Math.min(most, size * 2));
  }

  /** What an endpoint's calls are at present. */
  stateOf(endpoint: Endpoint): {
    readonly inFlight: number;
    readonly window: number;
    readonly ejected: boolean;
  } {
    const member = this.#members.find((one) => one.endpoint === endpoint);
    assert(member !== undefined, "An endpoint is asked for that the pool does not have.");
    const { inFlight, size } = member.window;
    return { inFlight, window: size, ejected: !isUsable(member) };
  }

  /**
   * Proves every endpoint. One that is down may come back later; one that gives other vectors, or refuses, fails the
   * whole, and so do all when none answers.
   */
  async proveAll(signal: AbortSignal): Promise<void> {
    const faults: Fault[] = [];
    for (const member of this.#members) {
      // One after the other: the first that answers is the measure of all.
      const fault = await raceAbort(this.#prove(member), signal).catch(asFault);
      signal.throwIfAborted();
      if (fault === undefined) continue;
      if (fault.retry !== "later") throw fault;
      faults.push(fault);
    }
    if (faults.length === this.#members.length) throw faults[0];
  }

  /**
   * Makes a call where it is best made, and at once elsewhere when it is told there to wait. Rejects as the call does, or
   * with the shortest wait when none takes it; waits for room, until the signal aborts.
   */
  async run<T>(
    weight: number,
    call: (endpoint: Endpoint) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const tried = new Set<Member>();
    let last: Fault | undefined;
    for (;;) {
      const entered = await this.#enter(weight, tried, signal);
      if (entered === undefined) {
        const aways = this.#members.filter(isUsable).map((one) => this.#awayOf(one));
        const fault = shortestWait(aways, last, this.#options.clock.monotonic());
        if (fault !== undefined) throw fault;
        continue;
      }
      try {
        return await this.#call(entered, weight, call);
      } catch (error) {
        if (!asksToWait(error) || this.#members.length === 1) throw error;
        tried.add(entered.member);
        last = error;
      }
    }
  }

  async #call<T>(
    { member, end }: Entered,
    weight: number,
    call: (endpoint: Endpoint) => Promise<T>,
  ): Promise<T> {
    let outcome: CallOutcome = "other";
    try {
      const result = await call(member.endpoint);
      outcome = "brought";
      member.failures = 0;
      return result;
    } catch (error) {
      if (isOverload(error)) outcome = "overloaded";
      this.#failed(member, error);
      throw error;
    } finally {
      end(outcome);
      member.load -= weight;
      member.window.lower(member.endpoint.callsAllowed);
      this.#wake();
    }
  }

  /**
   * Takes a place at an endpoint with room that was not tried: of those that did not just fail, the one with least to do.
   * Undefined when every one in use was tried, or is away.
   */
  async #enter(
    weight: number,
    tried: ReadonlySet<Member>,
    signal: AbortSignal,
  ): Promise<Entered | undefined> {
    for (;;) {
      signal.throwIfAborted();
      this.#options.closed.throwIfAborted();
      const usable = this.#members.filter(isUsable);
      if (usable.length === 0) {
        await raceAbort(this.#prove(this.#nextBack()), signal);
        continue;
      }
      this.#proveDue();
      const willing = usable.filter((one) => !tried.has(one) && !this.#isAway(one));
      if (willing.length === 0) return undefined;
      const [member] = willing
        .filter(({ window }) => window.hasRoom)
        .toSorted((a, b) => Number(a.failures > 0) - Number(b.failures > 0) || a.load - b.load);
      if (member !== undefined) {
        // In one step with the choice: others choose before this call goes on.
        member.load += weight;
        return { member, end: member.window.begin() };
      }
      await raceAbort(this.#change(), signal);
    }
  }

  #isAway(member: Member): boolean {
    return this.#awayOf(member) !== undefined;
  }

  #awayOf({ away }: Member): Away | undefined {
    return away !== undefined && away.until > this.#options.clock.monotonic() ? away : undefined;
  }

  /** When none is usable: the one whose pause ends first is tried at once. */
  #nextBack(): Member {
    const [next] = this.#members
      .filter(({ refused }) => refused === undefined)
      .toSorted((a, b) => (a.unproven?.retryAt ?? 0) - (b.unproven?.retryAt ?? 0));
    if (next !== undefined) return next;
    const refused = this.#members.find((member) => member.refused !== undefined)?.refused;
    assert(refused !== undefined, "A pool has endpoints.");
    throw refused;
  }

  /** Endpoints whose pause is over prove themselves beside the calls of the others. */
  #proveDue(): void {
    const now = this.#options.clock.monotonic();
    for (const member of this.#members) {
      const isDue = member.unproven !== undefined && member.unproven.retryAt <= now;
      const mayAsk = member.refused === undefined && !this.#isAway(member);
      if (isDue && mayAsk) this.#prove(member).catch(() => undefined);
    }
  }

  /** One proof at a time; all that wait for it share it. */
  #prove(member: Member): Promise<void> {
    member.proof ??= this.#proveOnce(member).finally(() => {
      member.proof = undefined;
      this.#wake();
    });
    return member.proof;
  }

  async #proveOnce(member: Member): Promise<void> {
    if (member.refused !== undefined) throw member.refused;
    try {
      await this.#options.prove(member.endpoint);
      member.unproven = undefined;
      member.failures = 0;
      member.window.lower(member.endpoint.callsAllowed);
    } catch (error) {
      if (error instanceof Fault && differs.has(error.code) && error.retry === "never") {
        member.refused = error;
      }
      this.#rest(member);
      throw error;
    }
  }

  #failed(member: Member, error: unknown): void {
    if (!isFault(error) || error.scope !== "component" || error.retry !== "later") return;
    const isSpare = this.#members.length > 1;
    if (isSpare && error instanceof Fault && error.retryAfterMs !== undefined) {
      const until = this.#options.clock.monotonic() + error.retryAfterMs;
      member.away = { until, fault: error };
      return;
    }
    member.failures += 1;
    if (error.code === "embed.unreachable" && this.#options.isProvable()) {
      // Something else may listen there when it comes back.
      member.unproven ??= { retryAt: 0, pauseMs: 0 };
      return;
    }
    // A busy one has a smaller window first.
    const isSick = error.code !== "embed.rate-limited" || member.window.size === 1;
    if (isSpare && isSick && member.failures >= failuresAllowed) this.#rest(member);
  }

  #rest(member: Member): void {
    const before = member.unproven?.pauseMs ?? 0;
    const pauseMs = Math.min(Math.max(before * 2, firstPauseMs), longestPauseMs);
    member.unproven = { pauseMs, retryAt: this.#options.clock.monotonic() + pauseMs };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Faults of a proof after which an endpoint cannot be trusted. */
const differs: ReadonlySet<string> = new Set(["refused.probe", "embed.invalid"]);

function isUsable({ unproven, refused }: Member): boolean {
  return unproven === undefined && refused === undefined;
}

function isOverload(error: unknown): boolean {
  return (
    isFault(error) &&
    error.retry === "later" &&
    (error.code === "embed.rate-limited" || error.code === "embed.timeout")
  );
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  throw error;
}
