import { freePorts } from "../../../scripts/servers/free-ports.ts";

/** A fault between client and server, as Toxiproxy knows it: https://github.com/Shopify/toxiproxy#toxics. */
export interface Toxic {
  readonly type:
    | "latency"
    | "bandwidth"
    | "slow_close"
    | "timeout"
    | "reset_peer"
    | "slicer"
    | "limit_data";
  /**
   * `downstream`, the default, is from server to client. So `timeout` of 0 loses answers to what the server has done;
   * `upstream`, nothing gets to the server.
   */
  readonly stream?: "upstream" | "downstream";
  /** The part of connections that get it, from 0 to 1, the default. Drawn per connection, not per request. */
  readonly toxicity?: number;
  readonly attributes: Readonly<Record<string, number>>;
}

/** A port on 127.0.0.1 behind which a server stands, and faults in between. */
export class FaultyProxy {
  readonly #api: string;
  readonly #name: string;
  readonly port: number;

  private constructor(api: string, name: string, port: number) {
    this.#api = api;
    this.#name = name;
    this.port = port;
  }

  /** Lets through what comes, until told otherwise. `upstream` is the server's host and port. */
  static async open(
    toxiproxy: { readonly address: string },
    upstream: string,
  ): Promise<FaultyProxy> {
    const [port = 0] = await freePorts(1);
    const name = `proxy-${port}`;
    const proxy = new FaultyProxy(toxiproxy.address, name, port);
    await proxy.#send("POST", "/proxies", { name, listen: proxy.address, upstream, enabled: true });
    return proxy;
  }

  /** Host and port. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Holds for connections that are open, and for new ones. A second one of a type and stream is refused. */
  async add(toxic: Toxic): Promise<void> {
    await this.#send("POST", `/proxies/${this.#name}/toxics`, toxic);
  }

  /** Removes what was added. */
  async remove(type: Toxic["type"], stream: Toxic["stream"] = "downstream"): Promise<void> {
    await this.#send("DELETE", `/proxies/${this.#name}/toxics/${type}_${stream}`);
  }

  /** While refused, connections are cut and new ones are not accepted. */
  async refuse(refused: boolean): Promise<void> {
    await this.#send("POST", `/proxies/${this.#name}`, { enabled: !refused });
  }

  async close(): Promise<void> {
    await this.#send("DELETE", `/proxies/${this.#name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await fetch(`${this.#api}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.ok) return;
    throw new Error(`Toxiproxy answers ${method} ${path} with ${await answer.text()}`);
  }
}
