import { errorCode } from "../../../src/flow/error-code.ts";
import { withDeadline } from "../../../src/flow/deadline.ts";
import { readWhole } from "../../../src/flow/read-body.ts";
import { parseRetryAfter } from "../../../src/flow/retry-after.ts";
import { WireError } from "./wire-error.ts";

/** Larger than the schema of any collection. */
const maxBytes = 64 * 1024 * 1024;

export interface RestCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/v1`. */
  readonly path: string;
  readonly body?: unknown;
}

export interface RestAnswer {
  readonly status: number;
  /** Undefined when the answer holds no JSON. */
  readonly body: unknown;
}

/** Requests to the REST API. One attempt for each. */
export class RestClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  constructor(base: string, headers: Readonly<Record<string, string>>, timeoutMs: number) {
    this.#base = base;
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Gives answers up to status 399, and those of 404. Rejects with a `WireError` for others, or with the reason of the
   * signal that aborted first.
   */
  call(call: RestCall, ...signals: readonly AbortSignal[]): Promise<RestAnswer> {
    const timeoutMs = this.#timeoutMs;
    const options = { timeoutMs, timedOut: () => timedOut(timeoutMs) };
    return withDeadline((either) => this.#call(call, either), options, signals);
  }

  async #call({ method, path, body }: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    try {
      const response = await fetch(`${this.#base}/v1${path}`, {
        method,
        headers: { ...this.#headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "manual",
        signal,
      });
      if (response.status >= 300 && response.status < 400) throw redirected(this.#base, response);
      const text = await readText(response);
      const parsed = parse(text);
      if (response.status < 300 || response.status === 404) {
        return { status: response.status, body: parsed };
      }
      throw statusError(response, parsed);
    } catch (error) {
      throw error instanceof WireError ? error : connectError(this.#base, error);
    }
  }
}

async function readText({ body }: Response): Promise<string> {
  const text = await readWhole(body, maxBytes);
  if (text !== undefined) return text;
  throw new WireError(`the answer has more than ${maxBytes} bytes`, {
    protocol: "REST",
    failure: "too-large",
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function redirected(base: string, { headers }: Response): WireError {
  const target = headers.get("location") ?? "nowhere";
  return new WireError(`${base} leads elsewhere, to ${target}`, {
    protocol: "REST",
    failure: "protocol",
  });
}

function statusError({ status, headers }: Response, body: unknown): WireError {
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  return new WireError(messageOf(body), {
    protocol: "REST",
    failure: "status",
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The server's errors have one of two forms; a proxy's have none. */
function messageOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  if ("message" in body && typeof body.message === "string") return body.message;
  if (!("error" in body) || !Array.isArray(body.error)) return "";
  const errors: readonly unknown[] = body.error;
  return errors.map((error) => messageOf(error)).join("; ");
}

function timedOut(timeoutMs: number): WireError {
  return new WireError(`no answer within ${timeoutMs} ms`, {
    protocol: "REST",
    failure: "timeout",
  });
}

/** Errors of a connection before anything was sent. */
const unsent = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT)/;
const untrusted = /CERT|TLS|SSL|EPROTO|VERIFY|SIGNED/;
/** What is no HTTP at all; its code begins so. */
const notHttp = /^HPE_/;

function connectError(base: string, error: unknown): WireError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = errorCode(cause);
  const why = code === "" ? "no connection" : code;
  if (untrusted.test(code)) {
    return new WireError(`${base} answers, but its TLS does not fit (${why})`, {
      protocol: "REST",
      failure: "protocol",
      cause,
    });
  }
  if (notHttp.test(code)) {
    return new WireError(`what answers at ${base} does not speak HTTP`, {
      protocol: "REST",
      failure: "protocol",
      cause,
    });
  }
  return new WireError(`no connection to ${base} (${why})`, {
    protocol: "REST",
    failure: unsent.test(code) ? "unreachable" : "cut-off",
    cause,
  });
}
