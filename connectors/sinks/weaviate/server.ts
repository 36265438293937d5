import { Fault } from "../../../src/faults/index.ts";
import { toFault, type FailedCall } from "./faults.ts";
import { GrpcClient } from "./grpc-client.ts";
import type { Place } from "./place.ts";
import { RestClient, type RestAnswer, type RestCall } from "./rest-client.ts";
import { WireError } from "./wire-error.ts";

/** What the server takes in one message unless it says otherwise. */
const usualMessageBytes = 104_858_000;
/** The oldest server whose answers are understood. */
const oldest = [1, 29] as const;

export interface ServerOptions {
  readonly place: Place;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
}

/** What the server says of itself. */
export interface ServerMeta {
  /** The largest message over gRPC, in bytes. */
  readonly messageBytes: number;
}

/** Both APIs of a server; all errors come out as faults. */
export class WeaviateServer {
  readonly options: ServerOptions;
  readonly #rest: RestClient;
  readonly #grpc: GrpcClient;
  /** Aborts what is under way when the sink is closed. */
  readonly #closing = new AbortController();
  #meta: ServerMeta | undefined;

  constructor(options: ServerOptions) {
    const { place, apiKey = "", timeoutMs } = options;
    const headers: Record<string, string> = { "user-agent": "sluice" };
    if (apiKey !== "") headers["authorization"] = `Bearer ${apiKey}`;
    this.options = options;
    this.#rest = new RestClient(place.restUrl, headers, timeoutMs);
    this.#grpc = new GrpcClient({
      origin: place.grpcOrigin,
      headers,
      maxBytes: 2 * usualMessageBytes,
    });
  }

  /** What the server says of itself, once both of its APIs have answered. Asked until it has answered once. */
  async meta(signal: AbortSignal): Promise<ServerMeta> {
    this.#meta ??= await this.#askMeta(signal);
    return this.#meta;
  }

  async #askMeta(signal: AbortSignal): Promise<ServerMeta> {
    const { body } = await this.rest("read", { method: "GET", path: "/meta" }, signal);
    const { place } = this.options;
    const version = textOf(body, "version");
    const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
    if (major === undefined || minor === undefined) {
      throw new Fault(
        "sink.foreign",
        `What answers at ${place.restUrl} is not Weaviate. Check \`url\`.`,
      );
    }
    if (Number(major) === oldest[0] && Number(minor) < oldest[1]) {
      throw new Fault(
        "sink.foreign",
        `The server at ${place.restUrl} is Weaviate ${version}; sluice needs ${oldest.join(".")} or newer.`,
      );
    }
    await this.#grpcCall("read", "/grpc.health.v1.Health/Check", Buffer.alloc(0), signal);
    return { messageBytes: numberOf(body, "grpcMaxMessageSize") ?? usualMessageBytes };
  }

  /** One request to the REST API; answers of 404 are given. */
  async rest(verb: FailedCall["verb"], call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    this.#checkOpen();
    try {
      return await this.#rest.call(call, signal, this.#closing.signal);
    } catch (error) {
      throw this.toFault(error, verb);
    }
  }

  /** One call of the gRPC API, with what its answer says. */
  async call<Result>(
    verb: FailedCall["verb"],
    method: "BatchObjects" | "BatchDelete" | "Search" | "Aggregate",
    message: Buffer,
    decode: (answer: Buffer) => Result,
    signal: AbortSignal,
  ): Promise<Result> {
    const answer = await this.#grpcCall(verb, `/weaviate.v1.Weaviate/${method}`, message, signal);
    try {
      return decode(answer);
    } catch (cause) {
      const error = new WireError("the answer cannot be read", {
        protocol: "gRPC",
        failure: "cut-off",
        cause,
      });
      throw this.toFault(error, verb);
    }
  }

  async #grpcCall(
    verb: FailedCall["verb"],
    method: string,
    message: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer> {
    this.#checkOpen();
    try {
      const { timeoutMs } = this.options;
      return await this.#grpc.call({ method, message, timeoutMs }, signal, this.#closing.signal);
    } catch (error) {
      throw this.toFault(error, verb);
    }
  }

  toFault(error: unknown, verb: FailedCall["verb"]): unknown {
    const { signal } = this.#closing;
    const isOver = signal.aborted && error === signal.reason;
    return isOver ? this.#endOf(verb !== "read") : toFault(error, this.failed(verb));
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw this.#endOf(false);
  }

  #endOf(ambiguous: boolean): Fault {
    const { shown } = this.options.place;
    return new Fault("aborted", `The sink of ${shown} is closed.`, { ambiguous });
  }

  failed(verb: FailedCall["verb"]): FailedCall {
    const { shown, grpcOrigin } = this.options.place;
    return { verb, shown, grpcOrigin };
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#grpc.close();
  }
}

function textOf(body: unknown, key: string): string {
  const value = valueOf(body, key);
  return typeof value === "string" ? value : "";
}

function numberOf(body: unknown, key: string): number | undefined {
  const value = valueOf(body, key);
  return typeof value === "number" && value > 0 ? value : undefined;
}

function valueOf(body: unknown, key: string): unknown {
  return typeof body === "object" && body !== null
    ? (body as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
