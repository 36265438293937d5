/** A Redis server and how to log in there. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** The address as people may see it: without credentials. */
  readonly address: string;
}

export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

const usualPort = 6379;

/** Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`; what `login` has wins over the address. */
export function redisServer(url: string, login: RedisLogin = {}): RedisServer {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = parsed.port === "" ? usualPort : Number(parsed.port);
  const database = Number(parsed.pathname.replaceAll("/", ""));
  const username = login.username ?? decoded(parsed.username);
  const password = login.password ?? decoded(parsed.password);
  const shownDatabase = database === 0 ? "" : `/${database}`;
  return {
    host,
    port,
    database,
    tls: parsed.protocol === "rediss:",
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    address: `${parsed.protocol}//${parsed.hostname}:${port}${shownDatabase}`,
  };
}

/** A `%` that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
