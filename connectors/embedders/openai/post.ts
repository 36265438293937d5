import { Fault, isFault } from "../../../src/faults/index.ts";
import { withDeadline } from "../../../src/flow/deadline.ts";
import { networkReason } from "../../../src/flow/network-reason.ts";
import { readStart, readWhole } from "../../../src/flow/read-body.ts";

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
  const { timeoutMs } = request;
  const options = { timeoutMs, timedOut: () => timeoutFault(request) };
  return withDeadline((signal) => send(request, signal), options, signals);
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
  const read = response.ok ? readAnswer(response, request) : readStart(response.body, errorBytes);
  const text = await read.catch((error: unknown) => {
    throw isFault(error) ? error : cutOff(request, error);
  });
  return { status, ok: response.ok, headers, text };
}

async function readAnswer({ headers, body }: Response, request: PostRequest): Promise<string> {
  const announced = Number(headers.get("content-length") ?? 0);
  const isTooLong = announced > request.maxBytes;
  if (isTooLong) await body?.cancel();
  const text = isTooLong ? undefined : await readWhole(body, request.maxBytes);
  if (text === undefined) throw tooMuch(request);
  return text;
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

function unreachable(request: PostRequest, error: unknown): Fault {
  const { reason, code, cause, stays } = networkReason(error);
  if (code === "UND_ERR_HEADERS_TIMEOUT") return timeoutFault(request);
  return new Fault(
    "embed.unreachable",
    `The embedding server at \`${request.shown}\` cannot be reached (${reason}). ` +
      "Check `url` and that the server runs.",
    { cause, retry: stays ? "never" : "later" },
  );
}
