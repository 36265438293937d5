import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { readBody } from "../../../src/testkit/embedding-responses.ts";

/** Stands before a server and remembers what it was asked and what it answered. */
export class RecordingProxy {
  /** The API's address, ending in `/v1`. */
  readonly url: string;
  #upstream: string;
  /** How often a vector of each text reached the client. */
  readonly #answered = new Map<string, number>();
  #requests = 0;
  #lost = 0;
  /** Called at the beginning of each request for vectors, with its number and texts; the request goes on meanwhile. */
  onRequest: (request: number, texts: number) => void = () => {};

  private constructor(url: string, upstream: string) {
    this.url = url;
    this.#upstream = new URL(upstream).origin;
  }

  /** Opens a proxy that closes with the test. `upstream` is the API's address. */
  static async open(upstream: string): Promise<RecordingProxy> {
    const server = createServer((request, response) => {
      // The server went away: so does the connection.
      proxy.#forward(request, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const proxy = new RecordingProxy(`http://127.0.0.1:${port}/v1`, upstream);
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return proxy;
  }

  get answered(): ReadonlyMap<string, number> {
    return this.#answered;
  }

  /** Requests for vectors. */
  get requests(): number {
    return this.#requests;
  }

  /** Requests for vectors that were not answered. */
  get lost(): number {
    return this.#lost;
  }

  /** From now on another server answers at this address. */
  redirect(upstream: string): void {
    this.#upstream = new URL(upstream).origin;
  }

  async #forward(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (message.method !== "POST") {
      const answer = await fetch(`${this.#upstream}${message.url}`);
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(await answer.text());
      return;
    }
    const body = await readBody(message);
    const { input } = JSON.parse(body) as { readonly input: readonly string[] };
    this.#requests += 1;
    this.onRequest(this.#requests, input.length);
    try {
      const answer = await fetch(`${this.#upstream}${message.url}`, { method: "POST", body });
      const text = await answer.text();
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(text);
      await once(response, "finish");
      if (!answer.ok) return;
      for (const one of input) this.#answered.set(one, (this.#answered.get(one) ?? 0) + 1);
    } catch (error) {
      this.#lost += 1;
      throw error;
    }
  }
}
