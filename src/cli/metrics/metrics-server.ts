import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { Fault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";

/** A request that takes longer is nobody's scrape. */
const requestMs = 5_000;
/** Answers under way have this long when the server is closed. */
const graceMs = 1_000;
const connections = 32;

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Makes the page anew for every request. */
  readonly page: () => Promise<{ readonly type: string; readonly text: string }>;
}

/** A page at `/metrics` for whoever measures; it is read only, and has no other. */
export class MetricsServer {
  /** The page's address. */
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Rejects with a fault that says what to do when the port cannot be had. */
  static async open(options: MetricsServerOptions): Promise<MetricsServer> {
    const { host, port } = options;
    const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs });
    server.maxConnections = connections;
    server.on("request", (request, response) => {
      answer(request, response, options.page).catch(() => response.destroy());
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, resolve);
    try {
      await promise;
    } catch (error) {
      throw notOpened(error, options);
    }
    const address = server.address();
    const opened = typeof address === "object" && address !== null ? address.port : port;
    return new MetricsServer(
      server,
      `http://${isIPv6(host) ? `[${host}]` : host}:${opened}/metrics`,
    );
  }

  /** Frees the port, and leaves no connection. Never rejects. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await promise;
    clearTimeout(timer);
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: MetricsServerOptions["page"],
): Promise<void> {
  // Nobody sends a body here; what comes is not kept.
  request.resume();
  const { method = "", url = "" } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return sendText(response, 405, "This page can only be read.\n");
  }
  if (url.replace(/\?.*$/s, "") !== "/metrics") {
    return sendText(response, 404, "The measures are at /metrics.\n");
  }
  try {
    const { type, text } = await page();
    sendText(response, 200, text, type);
  } catch {
    sendText(response, 500, "The measures could not be read.\n");
  }
}

/** Node.js leaves the text out of the answer to HEAD. */
function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, { "content-type": type, "content-length": length });
  response.end(text);
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program has it",
  EACCES: "this user may not open it",
  EADDRNOTAVAIL: "the host is not an address of this machine",
  ENOTFOUND: "the host is not known",
  EAI_AGAIN: "the host is not known",
};

function notOpened(error: unknown, { host, port }: MetricsServerOptions): Fault {
  const code = errorCode(error);
  return new Fault(
    "metrics.unavailable",
    `The page of measures cannot be opened at port ${port} of \`${host}\`: ${reasons[code] ?? code}. Give ` +
      "`--metrics-port` another port, 0 for any that is free, and `--metrics-host` an address of this machine.",
    { cause: error },
  );
}
