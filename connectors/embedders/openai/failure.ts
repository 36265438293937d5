import { Fault, type FaultCodeName } from "../../../src/faults/index.ts";
import { parseRetryAfter } from "../../../src/flow/retry-after.ts";

/** An answer that brings no vectors. */
export interface Failure {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The beginning of the body. Read to classify, never shown: it may quote the texts. */
  readonly text: string;
}

export interface FailureContext {
  /** The server's address for messages. */
  readonly shown: string;
  readonly model: string;
  /** How many texts the request held. */
  readonly texts: number;
  /** Whether the request asked for vectors of a certain length. */
  readonly dimensionsAsked: boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

/** Wordings of vLLM, SGLang, TEI, llama.cpp, Ollama and OpenAI, in lower case. */
const tooLong = anyOf(
  /(?:maximum|model'?s|available|the) (?:context|input) (?:length|size)/,
  /maximum model length|reduce the length of the input|input is too long/,
  /context_length_exceeded|exceed_context_size|string_above_max_length/,
  /must have less than \d+ tokens|too large to process/,
);
const tooLarge = anyOf(
  /batch size \d+ > maximum|maximum allowed batch size/,
  /(?:payload|entity|body|content|request) (?:is )?too large|length limit exceeded/,
  /max(?:imum)? (?:of )?\d+ (?:tokens|inputs) per request|too many inputs|array_above_max_length/,
);
const noModel =
  /model[^.]{0,200}(?:not found|does not exist|not exist)|model_not_found|try pulling it/;
const loading = /loading model/;
const noEncoding = /encoding_format|base64/;
const noDimensions = /matryoshka|\bdimensions?\b/;
/** Not just `billing`: messages about rates point there too. */
const quota = /insufficient_quota|exceeded your current quota/;

/** Whether the server turned the request down for asking base64. */
export function refusesBase64(failure: Failure): boolean {
  return [400, 422].includes(failure.status) && noEncoding.test(saidBy(failure));
}

/** The most texts that the server says it takes in one request, if that is why it refused. */
export function allowedTexts(failure: Failure): number | undefined {
  const found = /maximum allowed batch size (\d+)/.exec(saidBy(failure));
  const count = Number(found?.[1] ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** Turns an answer without vectors into the fault that tells what to do about it. */
export function failureFault(failure: Failure, context: FailureContext): Fault {
  const { status } = failure;
  const said = saidBy(failure);
  const server = `The embedding server at \`${context.shown}\``;
  if (status === 401 || status === 403) {
    return new Fault(
      "embed.unauthorized",
      `${server} refused the key (${status}). Check \`api_key\`.`,
    );
  }
  if (status === 402 || (status === 429 && quota.test(said))) {
    const message = `${server} says that the quota is used up (${status}). Look at the account.`;
    return new Fault("embed.rate-limited", message, { retry: "never" });
  }
  if (status === 404 || status === 405 || status === 410 || (status < 500 && noModel.test(said))) {
    const message =
      `${server} does not know the path or the model \`${context.model}\` (${status}). ` +
      "Check `url` (it usually ends in `/v1`) and `model`.";
    return new Fault("embed.not-found", message);
  }
  if (status >= 300 && status < 400) {
    const message = `${server} redirects elsewhere (${status}). Put that address into \`url\`.`;
    return new Fault("embed.not-found", message);
  }
  if (status === 429 || status === 503 || status === 529) return busy(server, failure, context);
  if (status === 408) return new Fault("embed.timeout", `${server} gave up waiting (408).`);
  return rejected(server, status, said, context) ?? failed(server, failure, context);
}

/** What lies in the texts or in the request, if it does. */
function rejected(
  server: string,
  status: number,
  said: string,
  context: FailureContext,
): Fault | undefined {
  if (![400, 413, 422, 500].includes(status)) return undefined;
  const texts = context.texts === 1 ? "a text" : `a request of ${context.texts} texts`;
  if (tooLong.test(said)) {
    const which = context.texts === 1 ? "a text" : "one of the texts";
    const what = `${server} says that ${which} is longer than it takes (${status}).`;
    return ofTexts(
      "embed.too-long",
      `${what} Lower \`chunker.max_tokens\`, or raise the server's limit.`,
      context,
    );
  }
  if (status === 413 || tooLarge.test(said)) {
    const what = `${server} says that ${texts} is too large (${status}).`;
    return ofTexts(
      "embed.too-large",
      `${what} Lower \`max_batch_texts\` or \`max_batch_tokens\`.`,
      context,
    );
  }
  if (status === 500) return undefined;
  if (context.dimensionsAsked && noDimensions.test(said)) {
    const message =
      `${server} does not give vectors of the \`dimensions\` asked for (${status}). ` +
      "Leave `dimensions` out, or let the server allow it.";
    return new Fault("embed.rejected", message, { scope: "component", retry: "never" });
  }
  return ofTexts(
    "embed.rejected",
    `${server} rejected ${texts} (${status}). Its log says why.`,
    context,
  );
}

function ofTexts(code: FaultCodeName, message: string, context: FailureContext): Fault {
  return new Fault(code, message, { retry: context.texts === 1 ? "never" : "smaller" });
}

function busy(server: string, failure: Failure, context: FailureContext): Fault {
  const what = loading.test(saidBy(failure)) ? "is still loading its model" : "asks to slow down";
  return new Fault(
    "embed.rate-limited",
    `${server} ${what} (${failure.status}).`,
    waiting(failure, context),
  );
}

function failed(server: string, failure: Failure, context: FailureContext): Fault {
  const { status } = failure;
  if (status < 500) {
    const message = `${server} answered with status ${status}, which is not part of the API. Check \`url\`.`;
    return new Fault("embed.rejected", message, { scope: "component", retry: "never" });
  }
  return new Fault(
    "embed.failed",
    `${server} failed (${status}). Its log says why.`,
    waiting(failure, context),
  );
}

function waiting(failure: Failure, context: FailureContext): { readonly retryAfterMs?: number } {
  const retryAfterMs = parseRetryAfter(failure.retryAfter, context.now);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}

/** What the server says, in lower case, without the input that some servers quote. */
function saidBy(failure: Failure): string {
  return messageOf(failure.text).slice(0, 4_000).toLowerCase();
}

function messageOf(text: string): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text;
  }
  return wordsOf(body, 0).join(" ");
}

const spoken = new Set([
  "error",
  "message",
  "msg",
  "detail",
  "type",
  "code",
  "loc",
  "param",
  "error_type",
]);

function wordsOf(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > 4) return [];
  if (Array.isArray(value)) return value.slice(0, 20).flatMap((item) => wordsOf(item, depth + 1));
  return Object.entries(value).flatMap(([key, part]) =>
    spoken.has(key) ? wordsOf(part, depth + 1) : [],
  );
}
