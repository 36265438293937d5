import { Fault, type FaultCodeName, type FaultOptions } from "../../../src/faults/index.ts";

/** What a call was for. */
export interface Doing {
  /** As in "cannot be written". */
  readonly verb: "read" | "written" | "created" | "searched" | "loaded" | "set";
  /** The collection, for messages. */
  readonly address: string;
  /** What the call is about, where it is not the collection. */
  readonly subject?: string;
  /** The call may take effect although it failed. */
  readonly ambiguous?: boolean;
}

/** What came instead of success. */
export interface Failure {
  /** `status`: the server answered with a code of its own; `transport`: with one of gRPC, or not at all. */
  readonly kind: "status" | "transport";
  readonly code: number;
  readonly text: string;
  readonly cause?: unknown;
}

interface Diagnosis {
  readonly code: FaultCodeName;
  /** What is wrong, and what to do. */
  readonly what: string;
  readonly options?: FaultOptions;
  /** The call may have taken effect. */
  readonly unknown?: boolean;
}

type Rule = readonly [codes: readonly number[], text: RegExp, diagnosis: Diagnosis];

const anything = /^/;
const never = { retry: "never" } as const;
const component = { retry: "never", scope: "component" } as const;

const tooLarge: Diagnosis = {
  code: "sink.too-large",
  what: "the request is larger than the server takes",
};
const unfit: Diagnosis = { code: "sink.rejected", what: "the server refuses the request" };
const notLoaded: Diagnosis = {
  code: "sink.not-ready",
  what: "it is not loaded. Load it, or run again: a run loads it",
};
const starting: Diagnosis = { code: "sink.not-ready", what: "the server is not ready for it yet" };
const gone: Diagnosis = { code: "sink.missing", what: "it does not exist any more. Run again" };
const exhausted: Diagnosis = {
  code: "sink.full",
  what: "the server takes no writes: a quota, memory or disk is exhausted, or an administrator has stopped writing",
};
const lost: Diagnosis = {
  code: "sink.unreachable",
  what: "the connection to the server was lost",
  unknown: true,
};
const denied: Diagnosis = {
  code: "sink.unauthorized",
  what: "the user lacks a privilege. Grant it, or log in as another",
};
const noLogin: Diagnosis = {
  code: "sink.unauthorized",
  what: "the server refused the credentials. Check `token`, or `username` and `password`",
};

/** Codes of gRPC. Texts as observed with version 1.14 of its client. */
const transportRules: readonly Rule[] = [
  [
    [4],
    /waiting for (?:lb pick|name resolution)/i,
    {
      code: "sink.unreachable",
      what: "no connection to the server came about within `timeout_ms`. Check `address`, and that the server runs",
    },
  ],
  [
    [4],
    anything,
    { code: "sink.timeout", what: "the server did not answer within `timeout_ms`", unknown: true },
  ],
  [[7], anything, denied],
  [[8], /larger than max|message too large/i, tooLarge],
  [[8], anything, { code: "sink.rate-limited", what: "the server asks to slow down" }],
  [
    [12],
    anything,
    {
      code: "sink.foreign",
      what: "the server does not know the method; sluice needs Milvus 2.3 or later",
    },
  ],
  [[16], anything, noLogin],
  [
    [13, 14],
    /wrong version number|packet length too long|record layer/i,
    {
      code: "sink.unreachable",
      what: "the server does not speak TLS. Remove `tls`, and write the address without `https://`",
      options: never,
    },
  ],
  [
    [13, 14],
    /certificate|altname|self.signed|unable to (?:get|verify)|ERR_TLS_CERT/i,
    {
      code: "sink.unreachable",
      what: "the server's certificate is not trusted. Set `tls.ca`, or `tls.server_name`",
      options: never,
    },
  ],
  [
    [13, 14],
    /tlsv1|ssl routines|handshake/i,
    {
      code: "sink.unreachable",
      what: "the server refuses the TLS connection. Check `tls`",
      options: never,
    },
  ],
  [
    [13, 14],
    /protocol error|without grpc status|parse error/i,
    {
      code: "sink.unreachable",
      what:
        "what answers does not speak gRPC, or only under TLS. Check the port (19530 by default, not that of " +
        "HTTP), and `tls`",
      options: never,
    },
  ],
  [
    [14],
    /failed to connect/i,
    {
      code: "sink.unreachable",
      what: "the server closes the connection. Check `address`; and `tls`, which it may want",
    },
  ],
  [
    [14],
    /no connection established|name resolution failed|ECONNREFUSED|ENOTFOUND|EAI_AGAIN/i,
    {
      code: "sink.unreachable",
      what: "the server cannot be reached. Check `address`, and that the server runs",
    },
  ],
  [[3, 11], anything, unfit],
];

/** Codes of Milvus, and texts where the code says little. As observed with 2.3.5 and 3.2.2 of Milvus Lite. */
const statusRules: readonly Rule[] = [
  [
    [],
    /conflicts? with|alias already exist|name conflict/i,
    { code: "sink.rejected", what: "the name is taken. Choose another", options: component },
  ],
  [[], /duplicate primary keys/i, unfit],
  [[], /larger than max|too large/i, tooLarge],
  [[1102], anything, tooLarge],
  [
    [],
    /database .*(?:not found|not exist)/i,
    {
      code: "sink.missing",
      what: "the database does not exist. Create it, or correct `database`",
      options: never,
    },
  ],
  [
    [800],
    anything,
    {
      code: "sink.missing",
      what: "the database does not exist. Create it, or correct `database`",
      options: never,
    },
  ],
  [[100], anything, gone],
  [[], /collection (?:\S+ )?(?:not found|does not exist)|can't find collection/i, gone],
  [[101, 201], anything, notLoaded],
  [[], /(?:collection|partition) not loaded/i, notLoaded],
  [
    [1, 103, 106, 202, 400, 401, 500, 501, 502, 503, 504, 601, 602, 901, 902, 904],
    anything,
    starting,
  ],
  [[], /not ready|not healthy|not fully loaded|no available|is recovering/i, starting],
  [[4, 8], anything, { code: "sink.rate-limited", what: "the server asks to slow down" }],
  [[3, 7, 9], anything, exhausted],
  [[11, 12], anything, { code: "sink.not-ready", what: "the server is short of resources" }],
  [[], /no space left|disk.*(?:full|quota)|quota exceeded/i, exhausted],
  [
    [],
    /request is too large|etcdserver/i,
    { code: "sink.not-ready", what: "the server's own store fails" },
  ],
  [[1400, 1401], anything, denied],
  [
    [700],
    anything,
    { code: "sink.foreign", what: "its vectors have no index. Create one", options: component },
  ],
  [
    [2, 900, 903],
    anything,
    { code: "sink.not-ready", what: "a part of the server is down", unknown: true },
  ],
  [[6, 105, 109, 701, 1100, 1101, 1200, 1700, 1701], anything, unfit],
  [
    [],
    /exceeds max|should divide the dim|num_rows|invalid parameter|cannot parse expression|is not equal/i,
    unfit,
  ],
  // What Milvus 2.3 says of an index, of shards and of a dimension that cannot be.
  [
    [],
    /out of range|in range|invalid (?:index type|dimension)|divided by|only supported|limited to/i,
    unfit,
  ],
];

/** The fault that a failure means. A failure that nobody foresaw may have taken effect, and may pass. */
export function toFault(failure: Failure, doing: Doing): Fault {
  const { kind, code, text, cause } = failure;
  const rules = kind === "transport" ? transportRules : statusRules;
  const rule = rules.find(
    ([codes, pattern]) => (codes.length === 0 || codes.includes(code)) && pattern.test(text),
  );
  const other =
    kind === "transport"
      ? lost
      : { ...lost, code: "sink.not-ready" as const, what: "the server failed" };
  const { code: fault, what: found, options, unknown = false } = rule?.[2] ?? other;
  const { subject = `The collection ${doing.address}` } = doing;
  const isUnfit = found === unfit.what && doing.verb === "created";
  const what = isUnfit ? "the server cannot make it so. Check `create`" : found;
  const message = `${subject} cannot be ${doing.verb}: ${what}. (${firstWords(text, code)})`;
  const ambiguous = unknown && doing.ambiguous === true;
  // What cannot be asked gets no better in smaller parts.
  const advice = fault === "sink.rejected" && doing.verb !== "written" ? component : options;
  return new Fault(fault, message, { ...advice, ambiguous, cause });
}

/** The server's messages repeat themselves; the beginning says it. */
function firstWords(text: string, code: number): string {
  const [first = ""] = text.split(/: attempt #|\n/u);
  const words = first.trim().replace(/\s+/g, " ");
  if (words === "") return `code ${code}`;
  return words.length > 200 ? `${words.slice(0, 200)}…` : words;
}
