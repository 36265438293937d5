import type { ComponentNote } from "../../contracts/index.ts";
import { Fault, isFault } from "../../faults/index.ts";
import { RedisConnection } from "./connection.ts";
import type { RedisServer } from "./redis-server.ts";
import { redisFault } from "./trouble.ts";

export interface LinkOptions {
  readonly server: RedisServer;
  /** How long a call may wait for the server. */
  readonly timeoutMs: number;
  /** How long a server that does not answer is left alone the first time; the pause doubles. */
  readonly pauseMs: number;
  /** Looks at each new connection before it is used; rejects with a fault when it must not be. */
  readonly admit: (connection: RedisConnection) => Promise<void>;
}

/**
 * What a caller can do without. `any`: whatever is wrong, the answer is "nothing". `absence`: so for a server that is
 * away, but what goes on until a person does something is a fault. `none`: no answer is a fault.
 */
export type Tolerance = "any" | "absence" | "none";

const longestPauseMs = 30_000;
/** A server that stayed for this long was well: the next pause is a first one. */
const wellAfterMs = 60_000;
/** One that comes and goes is told of no more often. */
const betweenNewsMs = 60_000;

interface Absence {
  readonly fault: Fault;
  readonly since: number;
  /** When it may be asked again. */
  readonly until: number;
  readonly wasTold: boolean;
}

/**
 * The way to a server that may be away. While it is, callers who can do without are told so at once, and one of them
 * makes it be looked for again, beside its work. So an outage costs each of them one timeout at most, at its beginning.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  #connection: RedisConnection | undefined;
  #opening: Promise<RedisConnection> | undefined;
  #absence: Absence | undefined;
  #pauseMs: number;
  #openedAt = 0;
  /** Whether the open connection has answered a caller. */
  #isProven = false;
  #isClosed = false;
  #toldAt = -Infinity;
  #news: ComponentNote[] = [];

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#pauseMs = options.pauseMs;
  }

  /** Does something with a connection; undefined when there is none and the caller can do without. */
  async use<Result>(
    tolerance: Tolerance,
    work: (connection: RedisConnection) => Promise<Result>,
  ): Promise<Result | undefined> {
    if (this.#isClosed) throw new Fault("cache.unusable", "the embedding cache is closed");
    let connection: RedisConnection | undefined;
    try {
      connection = await this.#ready(tolerance);
      if (connection === undefined) return undefined;
      const result = await work(connection);
      this.#isProven = true;
      return result;
    } catch (error) {
      if (!isFault(error)) throw error;
      const fault = redisFault(error, this.#options.server.address);
      if (connection !== undefined) this.#lose(connection, fault);
      if (tolerance === "any" || (tolerance === "absence" && isAway(fault))) return undefined;
      throw fault;
    }
  }

  /** Something to tell a person, at the next chance. */
  tell(level: ComponentNote["level"], message: string): void {
    this.#news.push({ level, message });
  }

  /** What is to be told and was not asked for yet. */
  takeNews(): readonly ComponentNote[] {
    if (this.#news.length === 0) return this.#news;
    const news = this.#news;
    this.#news = [];
    return news;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #ready(tolerance: Tolerance): Promise<RedisConnection | undefined> {
    if (this.#connection?.isOpen === true) return this.#connection;
    const absence = this.#absence;
    if (absence === undefined || tolerance === "none") return this.#open();
    if (performance.now() >= absence.until) this.#open().catch(() => undefined);
    if (tolerance === "absence" && !isAway(absence.fault)) throw absence.fault;
    return undefined;
  }

  #open(): Promise<RedisConnection> {
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(): Promise<RedisConnection> {
    const { server, timeoutMs, admit } = this.#options;
    let connection: RedisConnection | undefined;
    try {
      this.#connection?.destroy();
      connection = await RedisConnection.open(server, timeoutMs);
      await admit(connection);
      if (this.#isClosed) throw new Fault("cache.unusable", "the embedding cache is closed");
    } catch (error) {
      connection?.destroy();
      if (!isFault(error)) throw error;
      const fault = redisFault(error, server.address);
      this.#isAway(fault);
      throw fault;
    }
    this.#connection = connection;
    this.#isBack();
    return connection;
  }

  /** A connection that has served well may just have been closed for idleness; any other way, the server is away. */
  #lose(connection: RedisConnection, fault: Fault): void {
    const wasClosed = !connection.isOpen;
    connection.destroy();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (!(wasClosed && this.#isProven)) this.#isAway(fault);
  }

  #isAway(fault: Fault): void {
    if (this.#isClosed) return;
    const now = performance.now();
    const { pauseMs: first } = this.#options;
    const wasWell = this.#absence === undefined && now - this.#openedAt > wellAfterMs;
    if (wasWell) this.#pauseMs = first;
    const mayTell = this.#absence === undefined && now - this.#toldAt >= betweenNewsMs;
    if (mayTell) {
      this.#toldAt = now;
      this.tell("warning", `${fault.message}. Work goes on without it, and it is tried again.`);
    }
    this.#absence = {
      fault,
      since: this.#absence?.since ?? now,
      until: now + this.#pauseMs,
      wasTold: this.#absence?.wasTold ?? mayTell,
    };
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #isBack(): void {
    const now = performance.now();
    this.#openedAt = now;
    this.#isProven = false;
    const absence = this.#absence;
    this.#absence = undefined;
    if (absence?.wasTold !== true) return;
    const seconds = Math.round((now - absence.since) / 1000);
    const { address } = this.#options.server;
    this.tell("info", `the embedding cache \`${address}\` is used again, after ${seconds} s`);
  }
}

/** Whether it may be over at any time, without anybody doing anything. */
function isAway(fault: Fault): boolean {
  return fault.retry === "later";
}
