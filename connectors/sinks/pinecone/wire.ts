import { withDeadline } from "../../../src/flow/deadline.ts";
import { errorCode } from "../../../src/flow/error-code.ts";
import { readStart, readWhole } from "../../../src/flow/read-body.ts";

/** How a request failed. */
export type Failure =
  /** No answer within the time allowed. */
  | { readonly kind: "timeout"; readonly timeoutMs: number }
  /** No connection, or one that broke; `code` is the system's, if it has one. */
  | { readonly kind: "network"; readonly code: string; readonly cause: unknown }
  | {
      readonly kind: "status";
      readonly status: number;
      /** The beginning of the body, without the key. */
      readonly text: string;
      readonly retryAfter: string | null;
    }
  /** The status promises an answer, and it is none of Pinecone's. */
  | { readonly kind: "unreadable"; readonly cause: unknown }
  /** The client itself would not send it. */
  | { readonly kind: "unsent"; readonly cause: unknown };

/** Rejects a call; `signal` aborts and closing reject with their reason instead. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly failure: Failure;
  /** Where the request went: protocol, host and port. */
  readonly origin: string;

  constructor(failure: Failure, origin: string) {
    super(`The request failed: ${failure.kind}.`);
    this.failure = failure;
    this.origin = origin;
  }
}

/** What a call gave, with what the client does not show to its callers. */
export interface Reply<Value> {
  readonly value: Value;
  /** The number of a write in its namespace's log. */
  readonly lsn: number | undefined;
  /** The last write of the namespace that a read has seen. */
  readonly indexedLsn: number | undefined;
  /** The answer's body. */
  readonly text: string;
}

/** What a client calls in the place of `fetch`. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** A request on its way. */
interface Exchange {
  readonly signal: AbortSignal;
  headers: Headers | undefined;
  text: string;
  failure: Failure | undefined;
}

/** Enough of an error's body to recognise it. */
const errorBytes = 16_384;
/** More than any answer that is asked for: what is larger is not read. */
const answerBytes = 64 * 1024 * 1024;

/**
 * Gives each call of Pinecone's client a `fetch` of its own. The client has no time limit and no abort, hides headers,
 * and tells of some statuses by words only; here a call gets a deadline and its signal, and keeps what was answered.
 */
export class Wire {
  readonly #timeoutMs: number;
  readonly #secret: string;
  readonly #closed = new AbortController();

  constructor(options: { readonly timeoutMs: number; readonly secret: string }) {
    this.#timeoutMs = options.timeoutMs;
    this.#secret = options.secret;
  }

  /** Ends all calls, now and later, with this reason. */
  close(reason: Error): void {
    this.#closed.abort(reason);
  }

  /**
   * Makes one call of the client, which makes at most one request. Rejects with the reason of the signal or of `close`
   * as soon as they abort, else with a `WireError`.
   */
  async call<Value>(
    request: (send: Send) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Reply<Value>> {
    const timeoutMs = this.#timeoutMs;
    let origin = "";
    const options = {
      timeoutMs,
      timedOut: () => new WireError({ kind: "timeout", timeoutMs }, origin),
    };
    const call = async (either: AbortSignal): Promise<Reply<Value>> => {
      const exchange: Exchange = {
        signal: either,
        headers: undefined,
        text: "",
        failure: undefined,
      };
      try {
        const value = await request((url, init) => {
          origin = new URL(url).origin;
          return this.#send(url, init, exchange);
        });
        return replyOf(value, exchange);
      } catch (cause) {
        const kind = exchange.headers === undefined ? "unsent" : "unreadable";
        throw new WireError(exchange.failure ?? { kind, cause }, origin);
      }
    };
    return withDeadline(call, options, [this.#closed.signal, signal]);
  }

  /** An answer is read to its end within the call's time, so that the client finds it whole. */
  async #send(url: string, init: RequestInit, exchange: Exchange): Promise<Response> {
    try {
      return await this.#fetch(url, init, exchange);
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      exchange.failure ??= { kind: "network", code: codeOf(cause), cause };
      throw error;
    }
  }

  async #fetch(url: string, init: RequestInit, exchange: Exchange): Promise<Response> {
    const response = await fetch(url, {
      ...init,
      signal: exchange.signal,
      // A followed redirect would take the key and the texts to another host.
      redirect: "manual",
    });
    exchange.headers = response.headers;
    if (!response.ok) {
      const text = (await readStart(response.body, errorBytes)).replaceAll(this.#secret, "…");
      const { status, headers } = response;
      exchange.failure = {
        kind: "status",
        status,
        text,
        retryAfter: headers.get("retry-after"),
      };
      throw new Error(`Status ${status}.`);
    }
    const text = await readWhole(response.body, answerBytes);
    if (text === undefined) {
      const cause = new RangeError(`The answer has more than ${answerBytes} bytes.`);
      exchange.failure = { kind: "unreadable", cause };
      throw cause;
    }
    exchange.text = text;
    const body = text === "" ? null : text;
    return new Response(body, { status: response.status });
  }
}

function replyOf<Value>(value: Value, { headers, text }: Exchange): Reply<Value> {
  return {
    value,
    text,
    lsn: numberIn(headers, "x-pinecone-request-lsn"),
    indexedLsn: numberIn(headers, "x-pinecone-max-indexed-lsn"),
  };
}

/** An answer that is no HTTP is known by its name only. */
function codeOf(cause: unknown): string {
  const isUnparsed = cause instanceof Error && cause.name === "HTTPParserError";
  return isUnparsed ? cause.name : errorCode(cause);
}

function numberIn(headers: Headers | undefined, name: string): number | undefined {
  const text = headers?.get(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
