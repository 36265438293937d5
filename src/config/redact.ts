/** Hides secrets in a text: messages, causes, URLs. */
export type Redact = (text: string) => string;

export const hidden = "***";

/** Names of variables and parameters that usually hold secrets. */
const secretName =
  /(?:^|[_.-])(?:api_?key|key|token|secret|password|passwd|passphrase|pwd|credentials?|auth)s?(?:$|[_.-])|(?:apikey|password|secret|token)$/i;

/** A variable of unknown purpose that is shorter than this is a word like any other. */
const shortestValue = 4;
/** A secret shorter than this is hidden only where it stands alone, or every `a` would vanish. */
const shortestSecret = 4;
const shortestLine = 8;

export function looksSecret(name: string): boolean {
  return secretName.test(name);
}

/**
 * Makes a redactor. `secrets` are hidden wherever they occur; `values` (of variables that may be secret) when they are
 * long enough to mean something. Credentials in URLs and secret-looking parameters are hidden always.
 */
export function createRedact(secrets: Iterable<string>, values: Iterable<string> = []): Redact {
  const words = new Set<string>();
  for (const secret of secrets) for (const form of formsOf(secret)) words.add(form);
  for (const value of values) {
    if (value.length >= shortestValue) for (const form of formsOf(value)) words.add(form);
  }
  words.delete("");
  const parts = [...words].toSorted((a, b) => b.length - a.length).map((word) => matcher(word));
  const pattern = parts.length === 0 ? undefined : new RegExp(parts.join("|"), "g");
  return (text) => {
    const known = pattern === undefined ? text : text.replace(pattern, hidden);
    return hideCredentials(known);
  };
}

/**
 * Passwords in a value of a configuration, as written and decoded: those of URLs and addresses (`user:password@host`),
 * and what is given to names that look secret (`?api_key=…`, `password=…`).
 */
export function credentialsIn(value: string): string[] {
  const users = [...value.matchAll(userPart)].map(([, , user = ""]) =>
    user.includes(":") ? user.slice(user.indexOf(":") + 1) : user,
  );
  const [, bare = ""] = /^[^\s/@:]*:([^\s/@]+)@/.exec(value) ?? [];
  const given = [...value.matchAll(/(?:^|[?&;\s])([\w.-]{1,64})=([^&;\s#"'`<>]+)/g)];
  const parameters = given.flatMap(([, name = "", text = ""]) => (looksSecret(name) ? [text] : []));
  return [...users, bare, ...parameters]
    .filter((credential) => credential !== "")
    .flatMap((credential) => [credential, decoded(credential)]);
}

/** A message with those of its causes, redacted. */
export function describeError(error: unknown, redact: Redact): string {
  const messages: string[] = [];
  const seen = new Set<unknown>();
  let current = error;
  while (current !== undefined && current !== null && !seen.has(current) && messages.length < 8) {
    seen.add(current);
    const message = current instanceof Error ? current.message : String(current);
    if (message !== "" && !messages.includes(message)) messages.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return redact(messages.join(": "));
}

/** A value as it may appear: plain, in a URL, in JSON, and line by line. */
function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/);
  const long = lines.length > 1 ? lines.filter((line) => line.length >= shortestLine) : [];
  return [value, value.trim(), ...long].flatMap((form) => [
    form,
    JSON.stringify(form).slice(1, -1),
    encoded(form),
  ]);
}

function encoded(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function matcher(word: string): string {
  const literal = word.toWellFormed().replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return word.length < shortestSecret ? `(?<![\\w.])${literal}(?![\\w]|\\.\\d)` : literal;
}

const userPart = /(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/?#"'`<>]*)@/gi;
const parameter = /([?&]([\w.-]{1,64})=)([^&\s#"'`<>]+)/g;

function hideCredentials(text: string): string {
  return text
    .replaceAll(userPart, `$1${hidden}@`)
    .replaceAll(parameter, (whole, prefix: string, name: string) =>
      looksSecret(name) ? `${prefix}${hidden}` : whole,
    );
}
