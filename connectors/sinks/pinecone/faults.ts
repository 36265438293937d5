import { Fault, type FaultCodeName, type FaultOptions } from "../../../src/faults/index.ts";
import { parseRetryAfter } from "../../../src/flow/retry-after.ts";
import { type Failure, WireError } from "./wire.ts";

/** What a call was to do, for the fault that tells what became of it. */
export interface CallPurpose {
  /** As in "cannot be written". */
  readonly verb: "described" | "created" | "read" | "written";
  /** The collection's, for messages. */
  readonly address: string;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

interface Diagnosis {
  readonly code: FaultCodeName;
  /** What happened and what to do, as it goes on after "cannot be written: ". */
  readonly what: string;
  readonly options?: FaultOptions;
  /** The request may have taken effect, or may yet. */
  readonly open?: boolean;
}

/** The fault that a failed request means. What is no failure of a request passes as it is. */
export function toFault(error: unknown, purpose: CallPurpose): unknown {
  if (!(error instanceof WireError)) return error;
  const { failure, origin } = error;
  const { code, what, options, open = false } = diagnose(failure, purpose, origin);
  const cause = "cause" in failure ? failure.cause : undefined;
  return new Fault(code, `The collection ${purpose.address} cannot be ${purpose.verb}: ${what}.`, {
    ...(cause === undefined ? {} : { cause }),
    ...options,
    ambiguous: open && purpose.verb === "written",
  });
}

function diagnose(failure: Failure, purpose: CallPurpose, origin: string): Diagnosis {
  switch (failure.kind) {
    case "timeout":
      return {
        code: "sink.timeout",
        what: `${origin} did not answer within ${failure.timeoutMs} ms. Raise \`timeout_ms\`, or lower \`concurrency\``,
        open: true,
      };
    case "network":
      return ofNetwork(failure.code, origin);
    case "unreadable":
      return {
        code: "sink.unreachable",
        what: `${origin} gave an answer that is not Pinecone's. Check \`control_url\` and \`host\``,
        options: { retry: "never" },
        open: true,
      };
    case "unsent":
      return {
        code: "sink.rejected",
        what: `the client refused the request (${firstWords(messageOf(failure.cause))})`,
        options: component,
      };
    case "status":
      return ofStatus(failure, purpose, origin);
  }
}

const component = { scope: "component", retry: "never" } as const;

/** Failures after which it is certain that nothing was sent. */
const notSent: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "the name could not be resolved",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  UND_ERR_CONNECT_TIMEOUT: "connecting took too long",
};

const certificate = /CERT|VERIFY|SELF_SIGNED/;
/** One end speaks TLS, and the other does not. */
const mismatch = /SSL|TLS|EPROTO|^HPE_|^HTTPParserError$/;

function ofNetwork(code: string, origin: string): Diagnosis {
  if (certificate.test(code)) {
    return {
      code: "sink.unreachable",
      what: `the certificate of ${origin} will not do (${code}). Check the address, or trust its authority`,
      options: { retry: "never" },
    };
  }
  if (mismatch.test(code)) {
    const other = origin.startsWith("https:") ? "http" : "https";
    return {
      code: "sink.unreachable",
      what: `${origin} does not speak ${origin.split(":", 1)[0]} (${code}). Is it an address of ${other}?`,
      options: { retry: "never" },
      open: code.startsWith("H"),
    };
  }
  const reason = notSent[code];
  return {
    code: "sink.unreachable",
    what: `${origin} cannot be reached (${reason ?? (code || "the connection broke")}). Check the network, \`control_url\` and \`host\``,
    open: reason === undefined,
  };
}

type StatusFailure = Extract<Failure, { readonly kind: "status" }>;

/** Wordings of the service, in small letters. */
const says = {
  otherDimension: /vector dimension \d+ does not match the dimension of the index (\d+)/,
  documents: /documents? (?:api|schema)/,
  tooLarge: /exceeds the maximum supported size|message length too large|larger than the maximum/,
  quota:
    /quota|current month|monthly|reached the max (?:\w+ ){0,3}(?:indexes|namespaces|storage|projects)/,
  notReady: /is not (?:yet )?ready/,
};

function ofStatus(failure: StatusFailure, purpose: CallPurpose, origin: string): Diagnosis {
  const { status } = failure;
  const { said, lower } = wordsIn(failure.text);
  const words = said === "" ? `${status}` : `${status}: ${firstWords(said)}`;
  const retryAfterMs = parseRetryAfter(failure.retryAfter, purpose.now);
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status >= 500) return ofServer(status, words, says.notReady.test(lower), waiting);
  if ([402, 403, 429].includes(status) && (status === 402 || says.quota.test(lower))) {
    return {
      code: "sink.full",
      what: `the project's quota is used up (${words}). Look at the plan in Pinecone's console`,
    };
  }
  switch (status) {
    case 400:
    case 422:
      return said === "" && purpose.verb === "described"
        ? foreignStatus(status, origin)
        : ofContent(words, lower, purpose);
    case 401:
      return { code: "sink.unauthorized", what: "Pinecone refused the key (401). Check `api_key`" };
    case 403:
      return {
        code: "sink.unauthorized",
        what: `the key may not do that (${words}). Give it the permission in Pinecone's console`,
      };
    case 404:
      return said === "" ? foreignStatus(status, origin) : ofAbsence(words, purpose, origin);
    case 408:
      return { code: "sink.timeout", what: "Pinecone gave up waiting (408)", open: true };
    case 409:
      if (purpose.verb === "created") {
        return { code: "sink.rejected", what: "it exists already", options: component };
      }
      return { code: "sink.conflict", what: `somebody else changed it meanwhile (${words})` };
    case 412:
      return { code: "sink.conflict", what: `somebody else changed it meanwhile (${words})` };
    case 413:
    case 414:
    case 431:
      return { code: "sink.too-large", what: `a request is too large for Pinecone (${words})` };
    case 429:
      return {
        code: "sink.rate-limited",
        what: `Pinecone asks to slow down (${words})`,
        options: waiting,
      };
    default:
      return foreignStatus(status, origin);
  }
}

/** What the service found wrong with the content of a request. */
function ofContent(words: string, lower: string, { verb }: CallPurpose): Diagnosis {
  const dimension = says.otherDimension.exec(lower)?.[1];
  if (dimension !== undefined) {
    return {
      code: "sink.missing",
      what: `its index now takes vectors of ${dimension} numbers, so it was deleted and made anew. Run again`,
    };
  }
  if (says.documents.test(lower)) {
    return {
      code: "sink.foreign",
      what: "its index is of the documents kind, which takes no vectors. Name another index",
    };
  }
  if (says.tooLarge.test(lower)) {
    return { code: "sink.too-large", what: `a request is too large for Pinecone (${words})` };
  }
  return {
    code: "sink.rejected",
    what: `Pinecone rejected the request (${words})`,
    ...(verb === "written" ? {} : { options: component }),
  };
}

function ofAbsence(words: string, { verb }: CallPurpose, origin: string): Diagnosis {
  if (verb !== "created") {
    return {
      code: "sink.missing",
      what: `${origin} does not know it (${words}). Run again to create it, or correct \`host\` if it is set`,
    };
  }
  return {
    code: "sink.rejected",
    what: `there is no such place (${words}). Correct \`create.cloud\` and \`create.region\``,
    options: component,
  };
}

function ofServer(
  status: number,
  words: string,
  isNotReady: boolean,
  waiting: FaultOptions,
): Diagnosis {
  if (status === 501) {
    return {
      code: "sink.rejected",
      what: `Pinecone cannot do that (${words})`,
      options: component,
    };
  }
  if (isNotReady) return { code: "sink.not-ready", what: "its index is not ready yet" };
  if (status === 504) {
    return { code: "sink.timeout", what: `Pinecone took too long (${words})`, open: true };
  }
  // What answers may be a gateway, and the request still under way behind it.
  const code = status === 503 ? "sink.not-ready" : "sink.unreachable";
  return { code, what: `Pinecone failed (${words})`, options: waiting, open: true };
}

function foreignStatus(status: number, origin: string): Diagnosis {
  const redirected = status >= 300 && status < 400;
  return {
    code: "sink.unreachable",
    what: redirected
      ? `${origin} redirects elsewhere (${status}). Put the right address into \`control_url\` or \`host\``
      : `${origin} answered with status ${status}, which is not Pinecone's. Check \`control_url\` and \`host\``,
    options: { retry: "never" },
  };
}

/** What a message quotes may be somebody's text, which decides nothing. */
const quoted = /(?<=^|[\s(:])(['"`]).*?\1(?=$|[\s).,:;])/gs;

/**
 * The message in an error's body, of either plane; and, in small letters, with its code and without what it quotes. Both
 * are empty for anything else.
 */
function wordsIn(text: string): { readonly said: string; readonly lower: string } {
  try {
    const body: unknown = JSON.parse(text);
    const inner = typeof body === "object" && body !== null && "error" in body ? body.error : body;
    const said = messageOf(inner);
    const code = typeof inner === "object" && inner !== null && "code" in inner ? inner.code : "";
    return { said, lower: `${String(code)} ${said.replaceAll(quoted, "…")}`.toLowerCase() };
  } catch {
    return { said: "", lower: "" };
  }
}

function messageOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !("message" in value)) return "";
  return typeof value.message === "string" ? value.message : "";
}

/** The beginning of a message, up to what it quotes: that may be somebody's text. */
function firstWords(message: string): string {
  const [first = ""] = message.split(/(?:^|[\s(:])['"`{[]|\n/u, 1);
  const words = first.trim().replace(/[.,:;]$/, "");
  return words.length > 160 ? `${words.slice(0, 160)}…` : words;
}
