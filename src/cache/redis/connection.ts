import type { createClient } from "@redis/client";
import { Fault } from "../../faults/index.ts";
import { loadPackages } from "../../flow/load-packages.ts";
import { withPatience } from "./patience.ts";
import type { RedisServer } from "./redis-server.ts";
import { isFull, redisFault } from "./trouble.ts";

export type Command = readonly (string | Buffer)[];

/** What a command is answered with; an error that concerns this command alone is a value too. */
export type Reply = Buffer | string | number | null | Error | readonly Reply[];

type Client = ReturnType<typeof createClient>;
type CommandOptions = NonNullable<Parameters<Client["sendCommand"]>[1]>;

const packages = { user: "The cache `redis`", packages: ["@redis/client"] };

/** One connection. It is not mended: when anything goes wrong, it is closed, and another one is made. */
export class RedisConnection {
  readonly #client: Client;
  readonly #server: RedisServer;
  readonly #timeoutMs: number;
  readonly #options: CommandOptions;
  #broken: unknown;

  private constructor(
    client: Client,
    options: CommandOptions,
    server: RedisServer,
    timeoutMs: number,
  ) {
    this.#client = client;
    this.#options = options;
    this.#server = server;
    this.#timeoutMs = timeoutMs;
    // What a call is told afterwards ("the socket closed") hides why.
    client.on("error", (error: unknown) => {
      this.#broken ??= error;
    });
  }

  /** Connects and logs in, within the time of a call. Rejects with a fault. */
  static async open(server: RedisServer, timeoutMs: number): Promise<RedisConnection> {
    const { createClient, RESP_TYPES } = await loadPackages(
      packages,
      () => import("@redis/client"),
    );
    const { host, port, database, tls, username, password, address } = server;
    // The time is kept here; the client's own limit ends what nobody waits for any more.
    const limits = { connectTimeout: 2 * timeoutMs, reconnectStrategy: false } as const;
    const socket = { host, port, ...limits };
    const client = createClient({
      RESP: 2,
      socket: tls ? { ...socket, tls: true } : socket,
      database,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
      // Time is kept for a batch, not with a timer for each command.
      commandOptions: { timeout: 0 },
    });
    const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
    const connection = new RedisConnection(client as Client, options, server, timeoutMs);
    try {
      await connection.#bounded(client.connect());
    } catch (error) {
      connection.destroy();
      throw redisFault(connection.#broken ?? error, address);
    }
    return connection;
  }

  /** False once the server or the network has closed it. */
  get isOpen(): boolean {
    return this.#broken === undefined && this.#client.isReady;
  }

  /**
   * Sends commands at once and resolves with their answers in order, within the time of a call. What concerns one key
   * only, or the room for a new one, is told in place of the answer; all else rejects with a fault.
   */
  async batch(commands: readonly Command[]): Promise<readonly Reply[]> {
    const sent = commands.map((command) =>
      this.#client.sendCommand<Reply>(command, this.#options).catch(asReply),
    );
    try {
      return await this.#bounded(Promise.all(sent));
    } catch (error) {
      throw redisFault(this.#broken ?? error, this.#server.address);
    }
  }

  /** An answer that has to be a list. Rejects servers that only look like Redis. */
  list(reply: Reply | undefined): readonly Reply[] {
    if (Array.isArray(reply)) return reply as readonly Reply[];
    const subject = `the embedding cache \`${this.#server.address}\``;
    throw new Fault(
      "cache.unusable",
      `${subject} does not answer as Redis does; check \`cache.url\``,
    );
  }

  destroy(): void {
    this.#broken ??= new Error("the connection was closed");
    if (this.#client.isOpen) this.#client.destroy();
  }

  #bounded<Result>(promise: Promise<Result>): Promise<Result> {
    const timeoutMs = this.#timeoutMs;
    const timedOut = (): Fault =>
      new Fault(
        "cache.unreachable",
        `the embedding cache \`${this.#server.address}\` did not answer within ${timeoutMs} ms`,
      );
    return withPatience(promise, timeoutMs, timedOut);
  }
}

/** What is no trouble with the server: no room, another type of value, and that it does not tell of itself. */
function asReply(error: unknown): Error {
  const isValue = /^(?:WRONGTYPE|EXECABORT|NOPERM.*'info')/;
  if (error instanceof Error && (isFull(error) || isValue.test(error.message))) return error;
  throw error;
}
