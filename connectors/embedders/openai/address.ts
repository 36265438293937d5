/** Where requests go and how that may be shown. */
export interface Address {
  /** The address of `embeddings`, without credentials. */
  readonly endpoint: string;
  /** For messages: without credentials and query. */
  readonly shown: string;
  /** The `authorization` header that credentials in the address stand for. */
  readonly authorization?: string;
}

/**
 * Reads the configured address. Credentials are taken out of it: `fetch` refuses them, and messages must not show them.
 */
export function parseAddress(text: string): Address {
  const url = new URL(text);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  url.hash = "";
  const base = url.pathname.replace(/\/+$/, "");
  url.pathname = base.endsWith("/embeddings") ? base : `${base}/embeddings`;
  const address = { endpoint: url.href, shown: `${url.origin}${base}` };
  if (username === "" && password === "") return address;
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { ...address, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
