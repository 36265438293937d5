/** Where a server is, read from the configuration. */
export interface Address {
  /** Host and port, as the transport wants them. */
  readonly target: string;
  readonly encrypted: boolean;
}

const defaultPort = 19_530;
const httpsPort = 443;

/** Reads the configured address, whose form was checked with the configuration. */
export function parseAddress(text: string): Address {
  const encrypted = text.startsWith("https://");
  const target = text.replace(/^https?:\/\//, "").replace(/\/$/, "");
  if (/:\d+$/.test(target)) return { target, encrypted };
  return { target: `${target}:${encrypted ? httpsPort : defaultPort}`, encrypted };
}
