import { Fault } from "../../../src/faults/index.ts";

/** Where requests go and how that may be shown. */
export interface Address {
  /** The address of `embeddings`, without credentials. */
  readonly endpoint: string;
  /** For messages: without credentials and query. */
  readonly shown: string;
  /** The `authorization` header that credentials in the address stand for. */
  readonly authorization?: string;
}

/** The addresses to use: `url`, or each of `urls`. */
export function configuredAddresses(config: {
  readonly url?: string | undefined;
  readonly urls?: readonly string[] | undefined;
}): readonly string[] {
  const { url, urls } = config;
  if ((url === undefined) === (urls === undefined)) {
    const what = url === undefined ? "has neither `url` nor `urls`" : "has both `url` and `urls`";
    throw new Fault("config.invalid", `The embedder ${what}. Give it one of them.`);
  }
  const addresses = urls ?? (url === undefined ? [] : [url]);
  const endpoints = addresses.map((address) => parseAddress(address));
  const twice = endpoints.find(({ endpoint }, index) =>
    endpoints.slice(0, index).some((other) => other.endpoint === endpoint),
  );
  if (twice === undefined) return addresses;
  throw new Fault("config.invalid", `\`urls\` has \`${twice.shown}\` twice. Take one out.`);
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
