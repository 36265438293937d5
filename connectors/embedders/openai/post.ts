import { Fault, isFault } from "../../../src/faults/index.ts";
import { errorCode } from "../../../src/flow/error-code.ts";

/** Enough of an error's body to recognise it. */
const errorBytes = 65_536;

export interface PostRequest {
  readonly endpoint: string;
  /** The address for messages. */
  readonly shown: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** The largest answer that is read. */
  readonly maxBytes: number;
}

export interface PostAnswer {
  readonly status: number;
  /** Whether the status promises vectors. */
  readonly ok: boolean;
  readonly headers: Headers;
  /** The body, decompressed; of an error only the beginning. */
  readonly text: string;
}

/**
 * Sends one request and reads the whole answer, within the time and size allowed; one attempt. Rejects with the reason
 * of the first signal that aborts, or with a fault.
 */
export async function post(
  request: PostRequest,
  signals: readonly AbortSignal[],
): Promise<PostAnswer> {
  const controller = new AbortController();
  const stops = signals.map((signal) => {
    signal.throwIfAborted();
    const stop = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    return () => signal.removeEventListener("abort", stop);
  });
  const timer = setTimeout(() => controller.abort(timeoutFault(request)), request.timeoutMs);
  try {
    return await send(request, controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    for (const stop of stops) stop();
  }
}

async function send(request: PostRequest, signal: AbortSignal): Promise<PostAnswer> {
  const response = await fetch(request.endpoint, {
    method: "POST",
    headers: request.headers,
    body: request.body,
    // A followed redirect would turn the request into a GET, or take the text to another host.
    redirect: "manual",
    signal,
  }).catch((error: unknown) => {
    throw unreachable(request, error);
  });
  const { status, headers } = response;
  const read = response.ok ? readWhole(response, request) : readStart(response.body);
  const text = await read.catch((error: unknown) => {
    throw isFault(error) ? error : cutOff(request, error);
  });
  return { status, ok: response.ok, headers, text };
}

async function readWhole(response: Response, request: PostRequest): Promise<string> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > request.maxBytes) {
    await response.body?.cancel();
    throw tooMuch(request);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > request.maxBytes) throw tooMuch(request);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes).toString("utf8");
}

async function readStart(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body ?? []) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= errorBytes) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(parts, bytes).toString("utf8", 0, errorBytes);
}

function timeoutFault({ shown, timeoutMs }: PostRequest): Fault {
  return new Fault(
    "embed.timeout",
    `The embedding server at \`${shown}\` did not answer within ${timeoutMs} ms. ` +
      "Raise `timeout_ms`, or lower `concurrency` or `max_batch_texts`.",
  );
}

function tooMuch({ shown, maxBytes }: PostRequest): Fault {
  const limit = `${Math.ceil(maxBytes / 1024)} KiB`;
  return new Fault(
    "embed.invalid",
    `The embedding server at \`${shown}\` sent more than the ${limit} that vectors for the texts can take. ` +
      "Check `url` and `model`.",
  );
}

function cutOff({ shown }: PostRequest, cause: unknown): Fault {
  return new Fault(
    "embed.invalid",
    `The answer of the embedding server at \`${shown}\` was cut off. Check the server's log.`,
    { cause, retry: "later" },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection reset",
  UND_ERR_SOCKET: "connection closed",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "the name could not be resolved",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "connecting took too long",
  UND_ERR_CONNECT_TIMEOUT: "connecting took too long",
};

/** Codes of certificates that will not do, however often one tries. */
const certificate = /CERT|TLS|SSL|VERIFY/;

function unreachable(request: PostRequest, error: unknown): Fault {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = errorCode(cause);
  if (code === "UND_ERR_HEADERS_TIMEOUT") return timeoutFault(request);
  const untrusted = certificate.test(code);
  const reason = reasons[code] ?? (untrusted ? `certificate: ${code}` : code || "no connection");
  return new Fault(
    "embed.unreachable",
    `The embedding server at \`${request.shown}\` cannot be reached (${reason}). ` +
      "Check `url` and that the server runs.",
    { cause, retry: untrusted ? "never" : "later" },
  );
}
