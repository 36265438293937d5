import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { withDeadline } from "../../../src/flow/deadline.ts";
import { GrpcConnection, type ConnectionTimes } from "./grpc-connection.ts";
import { parseRetryAfter } from "../../../src/flow/retry-after.ts";
import { WireError } from "./wire-error.ts";

/** A message is preceded by a flag and its length. */
const frameBytes = 5;
/** The longest time that the header for it can say in milliseconds. */
const longestMs = 99_999_999;

export interface GrpcClientOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The largest answer that is read. */
  readonly maxBytes: number;
  readonly times?: ConnectionTimes;
}

export interface GrpcCall {
  /** As in `/weaviate.v1.Weaviate/Search`. */
  readonly method: string;
  readonly message: Buffer;
  /** The server is told, so that it too gives up then. */
  readonly timeoutMs: number;
}

/**
 * Calls methods that take one message and give one. One attempt for each call: nothing is repeated, and nothing is
 * printed. Rejects with a `WireError`, or with the reason of the signal that aborted first.
 */
export class GrpcClient {
  readonly #options: GrpcClientOptions;
  readonly #connection: GrpcConnection;

  constructor(options: GrpcClientOptions) {
    this.#options = options;
    this.#connection = new GrpcConnection(options.origin, options.times);
  }

  call(call: GrpcCall, ...signals: readonly AbortSignal[]): Promise<Buffer> {
    const { timeoutMs } = call;
    const options = { timeoutMs, timedOut: () => timedOut(timeoutMs) };
    return withDeadline((either) => this.#call(call, either), options, signals);
  }

  async #call(call: GrpcCall, signal: AbortSignal): Promise<Buffer> {
    const session = await this.#connection.session(signal);
    // What was due while the connection was made is not sent any more.
    signal.throwIfAborted();
    try {
      return await this.#send(session, call, signal);
    } catch (error) {
      // Nothing tells a slow server from a connection that was cut without a word.
      if (error instanceof WireError && error.failure === "timeout") session.close();
      throw error;
    }
  }

  /** Ends the connection, and with it the calls under way. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #send(
    session: ClientHttp2Session,
    { method, message, timeoutMs }: GrpcCall,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const stream = requestOf(session, {
      ":method": "POST",
      ":path": method,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": `${Math.min(timeoutMs, longestMs)}m`,
      ...this.#options.headers,
    });
    const frame = Buffer.alloc(frameBytes);
    frame.writeUInt32BE(message.length, 1);
    const answer = readAnswer(stream, this.#options.maxBytes, signal);
    stream.write(frame);
    stream.end(message);
    return messageOf(await answer);
  }
}

function requestOf(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
): ClientHttp2Stream {
  try {
    return session.request(headers);
  } catch (cause) {
    throw new WireError("the connection ended before the request was sent", {
      protocol: "gRPC",
      failure: "unreachable",
      cause,
    });
  }
}

interface GrpcAnswer {
  readonly httpStatus: number;
  /** Headers and trailers: the status stands behind the answer, or in its head when there is none. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Reads the whole answer; afterwards nothing of the stream is left. */
function readAnswer(
  stream: ClientHttp2Stream,
  maxBytes: number,
  signal: AbortSignal,
): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {};
    const parts: Buffer[] = [];
    let [bytes, httpStatus, cause]: [number, number, unknown] = [0, 0, undefined];
    const stop = (reason: unknown): void => {
      reject(reason);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const abort = (): void => stop(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const note = (more: IncomingHttpHeaders): void => {
      for (const [name, value] of Object.entries(more)) headers[name] = String(value);
    };
    stream.once("response", (head) => {
      httpStatus = head[":status"] ?? 0;
      note(head);
    });
    stream.once("trailers", note);
    stream.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes + frameBytes) stop(tooLarge(maxBytes));
      else parts.push(part);
    });
    stream.on("error", (error) => {
      cause = error;
    });
    stream.once("close", () => {
      signal.removeEventListener("abort", abort);
      if (httpStatus === 0) reject(unanswered(stream, cause));
      else resolve({ httpStatus, headers, body: Buffer.concat(parts, bytes) });
    });
  });
}

/** The message of an answer, or its error. */
function messageOf({ httpStatus, headers, body }: GrpcAnswer): Buffer {
  const { "grpc-status": code, "grpc-message": text = "", "content-type": type = "" } = headers;
  if (code === undefined && (httpStatus !== 200 || !type.startsWith("application/grpc"))) {
    throw new WireError(`the answer is HTTP ${httpStatus} of type \`${type}\``, {
      protocol: "gRPC",
      failure: httpStatus >= 500 || meaningful.includes(httpStatus) ? "status" : "protocol",
      status: statusOfHttp(httpStatus),
      ...retryAfter(headers),
    });
  }
  if (code !== undefined && code !== "0") {
    throw new WireError(decodeMessage(text), {
      protocol: "gRPC",
      failure: "status",
      status: Number(code),
      ...retryAfter(headers),
    });
  }
  const whole = body.length >= frameBytes && body.length === frameBytes + body.readUInt32BE(1);
  if (code === undefined || !whole || body[0] !== 0) throw cutOff(undefined);
  return body.subarray(frameBytes);
}

/** Statuses below 500 that tell more than that what answered is not the server. */
const meaningful: readonly number[] = [401, 403, 429];

/** A proxy in between answers with HTTP alone; what that means for gRPC is fixed. */
function statusOfHttp(status: number): number {
  if (status === 401) return 16;
  if (status === 403) return 7;
  if (status === 404) return 12;
  return [429, 502, 503, 504].includes(status) ? 14 : 2;
}

function retryAfter(headers: Readonly<Record<string, string>>): { retryAfterMs?: number } {
  const retryAfterMs = parseRetryAfter(headers["retry-after"], Date.now());
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unanswered(stream: ClientHttp2Stream, cause: unknown): WireError {
  if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) return cutOff(cause);
  return new WireError("the server did not take the request", {
    protocol: "gRPC",
    failure: "unreachable",
    cause,
  });
}

function cutOff(cause: unknown): WireError {
  return new WireError("the connection was lost before the answer", {
    protocol: "gRPC",
    failure: "cut-off",
    cause,
  });
}

function timedOut(timeoutMs: number): WireError {
  return new WireError(`no answer within ${timeoutMs} ms`, {
    protocol: "gRPC",
    failure: "timeout",
  });
}

function tooLarge(maxBytes: number): WireError {
  return new WireError(`the answer has more than ${maxBytes} bytes`, {
    protocol: "gRPC",
    failure: "too-large",
  });
}
