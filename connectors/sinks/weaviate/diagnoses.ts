import type { FaultCodeName, FaultOptions } from "../../../src/faults/index.ts";

/** What an error means. */
export interface Diagnosis {
  readonly code: FaultCodeName;
  /** What happened and what to do, after "cannot be written: ". */
  readonly what: string;
  readonly retry?: FaultOptions["retry"];
  readonly scope?: FaultOptions["scope"];
  /** The call may have taken effect in part. */
  readonly partial?: boolean;
}

/** The server tells most by text alone. Texts as observed with 1.39; the first that fits counts. */
const diagnoses: readonly (readonly [RegExp, Diagnosis])[] = [
  [
    /could not find class|not present in schema|class .* (?:not found|does not exist)|collection .* does not exist/i,
    { code: "sink.missing", what: "it does not exist any more. Run again to create it" },
  ],
  [
    /tenant not found|tenant .* does not exist/i,
    { code: "sink.missing", what: "the tenant does not exist any more. Run again to create it" },
  ],
  [
    /invalid api key|unauthorized|anonymous access not enabled|unauthenticated/i,
    { code: "sink.unauthorized", what: "the server refused the key. Check `api_key`" },
  ],
  [
    /forbidden|insufficient permissions/i,
    {
      code: "sink.unauthorized",
      what: "this key may not do that. Give its user the permissions that the guide names",
    },
  ],
  [
    /tenant not active/i,
    {
      code: "sink.not-ready",
      what: "the tenant is not active. Activate it and run again",
      retry: "never",
    },
  ],
  [
    /multi-tenancy (?:enabled|disabled)/i,
    {
      code: "sink.foreign",
      what: "`tenant` is to be named exactly if the collection has tenants. It was made anew since",
    },
  ],
  [
    /read-only due to: disk|disk usage too high/i,
    {
      code: "sink.full",
      what: "the server's disk is nearly full, so it takes no writes. Make room",
      partial: true,
    },
  ],
  [
    /read-only due to: manually/i,
    {
      code: "sink.not-ready",
      what: "somebody made a shard read-only. Set its status to READY and run again",
      retry: "never",
      partial: true,
    },
  ],
  [
    /(?:read|write)-only|scale-out mode|read only/i,
    { code: "sink.not-ready", what: "the server takes no writes at the moment", partial: true },
  ],
  [
    /limit of \d+ reached|USAGE_LIMIT/i,
    { code: "sink.full", what: "a limit of the server is reached. Raise it, or make room" },
  ],
  [
    /message larger than max|message too large/i,
    { code: "sink.too-large", what: "the request is larger than the server takes" },
  ],
  [
    /vector lengths? don't match|vector with length|vector lengths|different lengths|dimensions do not match|wrong size/i,
    {
      code: "sink.dimension",
      what: "its vectors have another length than when it was opened. It was altered; run again",
    },
  ],
  [
    /context deadline exceeded|context canceled|deadline exceeded/i,
    { code: "sink.timeout", what: "the server did not do it in time", partial: true },
  ],
  [
    /not enough memory|out of memory|enough memory|leader not found|not the leader|shutting down|shutdown|not ready|enough replicas|consistency level|being loaded|too many requests/i,
    { code: "sink.not-ready", what: "the server is not ready for that", partial: true },
  ],
  [
    /QUERY_MAXIMUM_RESULTS/,
    {
      code: "sink.rejected",
      what: "more is asked for than the server gives at once. Ask for less, or raise QUERY_MAXIMUM_RESULTS there",
      retry: "never",
      scope: "component",
    },
  ],
  [
    /already exists/i,
    { code: "sink.rejected", what: "it exists already", retry: "never", scope: "component" },
  ],
  [
    /no such prop|invalid .* property|does not have configuration for vector|named vector|is not a valid/i,
    { code: "sink.rejected", what: "the record does not fit the collection" },
  ],
];

/** What a gRPC status means when the text says nothing. */
export const byGrpcStatus: Readonly<Record<number, Diagnosis>> = {
  1: { code: "sink.timeout", what: "the server gave up", partial: true },
  4: { code: "sink.timeout", what: "the server did not do it in time", partial: true },
  7: { code: "sink.unauthorized", what: "this key may not do that. Check its permissions" },
  8: { code: "sink.rate-limited", what: "the server asks to slow down" },
  12: {
    code: "sink.foreign",
    what: "what answers for gRPC is not Weaviate. Check `grpc_url`",
  },
  14: { code: "sink.not-ready", what: "the server is not ready", partial: true },
  16: { code: "sink.unauthorized", what: "the server refused the key. Check `api_key`" },
};

/** What an HTTP status means when the text says nothing. */
export const byHttpStatus: Readonly<Record<number, Diagnosis>> = {
  401: { code: "sink.unauthorized", what: "the server refused the key. Check `api_key`" },
  403: { code: "sink.unauthorized", what: "this key may not do that. Check its permissions" },
  404: { code: "sink.foreign", what: "what answers there is not Weaviate. Check `url`" },
  413: { code: "sink.too-large", what: "the request is larger than the server takes" },
  422: {
    code: "sink.rejected",
    what: "the server refused it",
    retry: "never",
    scope: "component",
  },
  429: { code: "sink.rate-limited", what: "the server asks to slow down" },
  503: { code: "sink.not-ready", what: "the server is not ready" },
};

/** What nothing is known of. */
export const unknownFailure: Diagnosis = {
  code: "sink.unreachable",
  what: "the server failed inside. Its log says why",
  partial: true,
};

/** Names and values that the server repeats: they mean nothing, whatever they say. */
const quoted = /(?<=^|[\s:([])(?:'[^']*'|"[^"]*")(?=$|[\s:;,.)\]])/g;

/** What the server's text means; undefined when it is not known. */
export function diagnose(text: string): Diagnosis | undefined {
  const told = text.replaceAll(quoted, "''");
  return diagnoses.find(([pattern]) => pattern.test(told))?.[1];
}
