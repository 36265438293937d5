import { errorCode } from "./error-code.ts";

/** Why a request got no answer. */
interface NetworkReason {
  /** In a few words, for messages. */
  readonly reason: string;
  /** The code of the error that lies beneath; empty when it has none. */
  readonly code: string;
  /** The error that lies beneath. */
  readonly cause: unknown;
  /** It stays so, however often one tries. */
  readonly stays: boolean;
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

/** TLS was asked of a server that does not speak it. */
const mismatch = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/;
const certificate = /CERT|TLS|SSL|VERIFY/;

/** What an error of `fetch` means. */
export function networkReason(error: unknown): NetworkReason {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = errorCode(cause);
  const common = { code, cause };
  if (mismatch.test(code)) {
    const reason = `it does not speak https; is it an address of http? ${code}`;
    return { ...common, reason, stays: true };
  }
  if (cause instanceof Error && cause.name === "HTTPParserError") {
    return { ...common, reason: "what came is not http; is it an address of https?", stays: false };
  }
  if (certificate.test(code)) return { ...common, reason: `certificate: ${code}`, stays: true };
  return { ...common, reason: reasons[code] ?? (code || "no connection"), stays: false };
}
