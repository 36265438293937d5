import { Fault, isFault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";

type Code = "cache.unreachable" | "cache.unauthorized" | "cache.unusable";

interface Trouble {
  readonly says: RegExp;
  readonly code: Code;
  readonly what: string;
}

const certificates =
  "has a certificate that is not trusted; name its authority in the variable NODE_EXTRA_CA_CERTS";

/** What servers answer that goes on until a person does something, and what that is. */
const lasting: readonly Trouble[] = [
  {
    says: /^(?:WRONGPASS|NOAUTH|DENIED)|AUTH.* called without any password|invalid password/i,
    code: "cache.unauthorized",
    what: "refuses the credentials; check user and password of `cache.url`",
  },
  {
    says: /^NOPERM/,
    code: "cache.unauthorized",
    what: "forbids this user a command or the keys of sluice; allow them in its access control list",
  },
  {
    says: /^READONLY/,
    code: "cache.unusable",
    what: "is a replica that cannot be written; name the primary in `cache.url`",
  },
  {
    says: /^(?:MOVED|ASK|CROSSSLOT)\b/,
    code: "cache.unusable",
    what: "is part of a Redis cluster, which is not supported; name a server that stands alone",
  },
  {
    says: /DB index is out of range|SELECT is not allowed/i,
    code: "cache.unusable",
    what: "has no database of this number; choose another at the end of `cache.url`",
  },
  {
    says: /unknown command/i,
    code: "cache.unusable",
    what: "does not know a command that every Redis has; use Redis 6 or later, or Valkey",
  },
  {
    says: /Unknown RESP type|wrong version number|packet length too long/i,
    code: "cache.unusable",
    what: "does not speak as Redis does; check `cache.url` (`rediss://` is Redis with TLS)",
  },
  {
    says: /self-signed certificate|unable to (?:verify|get).*certificate|certificate has expired|does not match certificate/i,
    code: "cache.unusable",
    what: certificates,
  },
];

/**
 * The fault of what went wrong with a server. What goes on until a person does something has the advice `never`; all
 * else may be over at any time.
 */
export function redisFault(error: unknown, address: string): Fault {
  if (isFault(error) && error instanceof Fault) return error;
  const said = saidBy(error);
  const found = lasting.find(({ says }) => says.test(said));
  const subject = `the embedding cache \`${address}\``;
  if (found === undefined) {
    return new Fault("cache.unreachable", `${subject} does not answer (${said})`, { cause: error });
  }
  return new Fault(found.code, `${subject} ${found.what} (it said: ${said})`, { cause: error });
}

/** A server that has no room for more goes on giving what it has. */
export function isFull(error: Error): boolean {
  return error.message.startsWith("OOM");
}

function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node.js gives a list of errors without a message where a name has several addresses.
  return error.message || errorCode(error) || error.name;
}
