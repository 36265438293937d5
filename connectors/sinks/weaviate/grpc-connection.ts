import { connect, type ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { errorCode } from "../../../src/flow/error-code.ts";
import { raceAbort } from "../../../src/flow/index.ts";
import { WireError } from "./wire-error.ts";

/** How far a server may send ahead, for one answer and for all of a connection. */
const streamWindowBytes = 4 * 1024 * 1024;
const sessionWindowBytes = 16 * 1024 * 1024;
/** What requests under way may hold; limits of writes are far below. */
const sessionMegabytes = 1_024;

/** How long one waits for a connection. */
export interface ConnectionTimes {
  readonly connectMs: number;
  /** A connection that was idle for this long may have been cut without a word, so it is asked first. */
  readonly idleMs: number;
  readonly pingMs: number;
}

const usualTimes: ConnectionTimes = { connectMs: 10_000, idleMs: 20_000, pingMs: 5_000 };

/** One HTTP/2 connection that is made when it is needed, and made anew when it is gone. */
export class GrpcConnection {
  readonly #origin: string;
  readonly #times: ConnectionTimes;
  #opening: Promise<ClientHttp2Session> | undefined;
  #usedAt = 0;
  /** The address has been seen to be right. */
  #hasSpoken = false;
  readonly #closing = new AbortController();

  /** `origin` is scheme, host and port. */
  constructor(origin: string, times: ConnectionTimes = usualTimes) {
    this.#origin = origin;
    this.#times = times;
  }

  /** The connection, when it is known to be there. Rejects with a `WireError`, or with the reason of the signal. */
  async session(signal: AbortSignal): Promise<ClientHttp2Session> {
    for (;;) {
      const opening = this.#opening ?? this.#open();
      const session = await raceAbort(opening, signal);
      if (await raceAbort(this.#isUsable(session), signal)) {
        this.#usedAt = performance.now();
        return session;
      }
      if (this.#opening === opening) this.#opening = undefined;
      session.close();
    }
  }

  /** Ends the connection, and with it the calls under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    const opening = this.#opening;
    this.#opening = undefined;
    const session = await opening?.catch(() => undefined);
    session?.destroy();
  }

  #open(): Promise<ClientHttp2Session> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.reject(closed(this.#origin));
    const opening = openSession(this.#origin, this.#times.connectMs, this.#hasSpoken, signal);
    this.#opening = opening;
    this.#usedAt = performance.now();
    opening.then(
      () => {
        this.#hasSpoken = true;
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined;
      },
    );
    return opening;
  }

  async #isUsable(session: ClientHttp2Session): Promise<boolean> {
    if (session.closed || session.destroyed) return false;
    const { idleMs, pingMs } = this.#times;
    return performance.now() - this.#usedAt <= idleMs || answersPing(session, pingMs);
  }
}

/**
 * Connects, and waits until the other side has shown that it speaks HTTP/2. Where it did so before, `hasSpoken`, and
 * now hangs up without a word, something stands in between, and the server behind it is away. Gives up with the signal.
 */
function openSession(
  origin: string,
  connectMs: number,
  hasSpoken: boolean,
  signal: AbortSignal,
): Promise<ClientHttp2Session> {
  const session = connect(origin, {
    maxSessionMemory: sessionMegabytes,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes },
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(unreachable(origin, "connecting took too long"));
      session.destroy();
    }, connectMs);
    let socket: Pick<Socket, "bytesRead"> | undefined;
    session.once("connect", (_session, connected) => {
      socket = connected;
    });
    const hungUp = (cause?: Error): WireError =>
      hasSpoken && socket?.bytesRead === 0
        ? unreachable(origin, "it hangs up at once", cause)
        : notGrpc(origin, cause);
    const giveUp = (): void => {
      reject(closed(origin));
      session.destroy();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      session.setLocalWindowSize(sessionWindowBytes);
      resolve(session);
    });
    // Stays for the life of the session: an error that nobody listens to would end the process.
    session.on("error", (error) => {
      const met = socket === undefined ? noConnection(origin, error) : hungUp(error);
      reject(tlsError(origin, error) ?? met);
    });
    session.once("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      reject(hungUp());
    });
  });
}

function tlsError(origin: string, cause: Error): WireError | undefined {
  const code = errorCode(cause);
  if (!/SSL|TLS|EPROTO/.test(code)) return undefined;
  const what = "it does not speak TLS, or not one that fits";
  return new WireError(`${origin} answers, but ${what} (${code})`, {
    protocol: "gRPC",
    failure: "protocol",
    cause,
  });
}

function noConnection(origin: string, cause: Error): WireError {
  const code = errorCode(cause);
  return unreachable(origin, code === "" ? "no connection" : code, cause);
}

function unreachable(origin: string, why: string, cause?: unknown): WireError {
  return new WireError(`no connection to ${origin} (${why})`, {
    protocol: "gRPC",
    failure: "unreachable",
    cause,
  });
}

function closed(origin: string): WireError {
  return unreachable(origin, "the sink is closed");
}

function notGrpc(origin: string, cause: unknown): WireError {
  return new WireError(`what answers at ${origin} does not speak gRPC`, {
    protocol: "gRPC",
    failure: "protocol",
    cause,
  });
}

function answersPing(session: ClientHttp2Session, pingMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pingMs, false);
    const answer = (alive: boolean): void => {
      clearTimeout(timer);
      resolve(alive);
    };
    try {
      if (!session.ping((error) => answer(error === null))) answer(false);
    } catch {
      answer(false);
    }
  });
}
