import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type * as Milvus from "@zilliz/milvus2-sdk-node";
import { Fault } from "../../../src/faults/index.ts";
import { parseAddress } from "./address.ts";
import type { MilvusConfig } from "./config.ts";
import { toFault, type Doing } from "./faults.ts";
import type { Answers, Method, Status } from "./messages.ts";

type Sdk = typeof Milvus;
type Channel = Awaited<ReturnType<Milvus.MilvusClient["channelPool"]["acquire"]>>;
type Definitions = ReturnType<Sdk["getGRPCService"]>["service"];

/** A connection: the official client's transport and message types. */
interface Connection {
  readonly channel: Channel;
  readonly definitions: Definitions;
}

/** How one call is to be made, and what it is for. */
export interface CallOptions extends Doing {
  readonly signal: AbortSignal;
  /** Codes of the server that are answers, not failures. */
  readonly expected?: readonly number[];
  /** Encoded fields that are added to the request. */
  readonly extra?: Uint8Array;
}

/** What a wire needs to know. */
export interface WireOptions {
  readonly config: MilvusConfig;
  /** The folder of the pipeline file. */
  readonly folder: string;
}

const service = "milvus.proto.milvus.MilvusService";

/**
 * Clients of one process do not share connections, nor the pause after a failed one, which stays short. Pings find a
 * connection that died in silence, while a call waits; the client's own, every ten seconds at all times, some servers
 * take for an attack.
 */
const channelOptions = {
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
};

/**
 * Calls of Milvus' service over the official client's transport, but past its methods (see
 * docs/decisions/milvus-wire.md). Every call has a deadline, ends on abort, and is tried once.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #underWay = new Set<{ cancel(): void }>();
  #opening: Promise<Connection> | undefined;
  #closed = false;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  get timeoutMs(): number {
    return this.#options.config.timeout_ms;
  }

  /** Sends a request; rejects with a fault, or with the signal's reason. */
  async call<Name extends Method>(
    method: Name,
    request: object,
    options: CallOptions,
  ): Promise<Answers[Name]> {
    options.signal.throwIfAborted();
    if (this.#closed) throw this.#endOf(options);
    const connection = await this.#connect();
    options.signal.throwIfAborted();
    const answer = await this.#send(connection, method, request, options);
    const status = statusOf(answer);
    if (isSuccess(status) || options.expected?.includes(status.code) === true) return answer;
    throw toFault({ kind: "status", code: status.code, text: status.reason }, options);
  }

  /** The bytes of a message that is a part of a method's answer, by the name of that part. */
  async encodePart(method: Method, part: string, value: object): Promise<Buffer> {
    const { definitions } = await this.#connect();
    return definitionOf(definitions, method).responseSerialize({ [part]: value });
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#underWay) call.cancel();
    this.#opening?.then(
      ({ channel }) => channel.close(),
      () => undefined,
    );
    this.#opening = undefined;
  }

  #send<Name extends Method>(
    { channel, definitions }: Connection,
    method: Name,
    request: object,
    options: CallOptions,
  ): Promise<Answers[Name]> {
    const { path, requestSerialize, responseDeserialize } = definitionOf(definitions, method);
    const message = requestSerialize(request);
    // Messages that follow each other are one: repeated fields are joined.
    const bytes = options.extra === undefined ? message : Buffer.concat([message, options.extra]);
    const { signal } = options;
    const { promise, resolve: succeed, reject } = Promise.withResolvers<Answers[Name]>();
    if (this.#closed) throw this.#endOf(options);
    const call = channel.makeUnaryRequest<Buffer, Answers[Name]>(
      path,
      (encoded) => encoded,
      responseDeserialize,
      bytes,
      { deadline: Date.now() + this.timeoutMs },
      (error, answer) => {
        signal.removeEventListener("abort", abort);
        this.#underWay.delete(call);
        if (signal.aborted) reject(signal.reason);
        else if (this.#closed && error !== null) reject(this.#endOf(options));
        else if (error !== null) reject(toFault(transportFailure(error), options));
        else if (answer === undefined) reject(new TypeError(`\`${method}\` gave no answer.`));
        else succeed(answer);
      },
    );
    const abort = (): void => call.cancel();
    signal.addEventListener("abort", abort, { once: true });
    this.#underWay.add(call);
    return promise;
  }

  #endOf({ address, ambiguous = false }: CallOptions): Fault {
    return new Fault("aborted", `The sink of ${address} is closed.`, { ambiguous });
  }

  #connect(): Promise<Connection> {
    this.#opening ??= connect(this.#options);
    this.#opening.catch(() => (this.#opening = undefined));
    return this.#opening;
  }
}

/** Some answers are nothing but their status. */
function statusOf(answer: Answers[Method]): Status {
  return "status" in answer ? answer.status : answer;
}

function isSuccess({ code, error_code: name }: Status): boolean {
  return code === 0 && (name === "Success" || name === 0);
}

function transportFailure(error: Error & { readonly code: number; readonly details: string }) {
  return { kind: "transport", code: error.code, text: error.details, cause: error } as const;
}

function definitionOf(definitions: Definitions, method: Method): Definitions[string] {
  const definition = definitions[method];
  if (definition === undefined) throw new TypeError(`The official client has no \`${method}\`.`);
  return definition;
}

async function connect({ config, folder }: WireOptions): Promise<Connection> {
  const sdk = await load();
  const { target, encrypted } = parseAddress(config.address);
  // A client that is made logs, and what it is told about logging holds for every client of the process.
  const { level } = sdk.logger;
  const client = new sdk.MilvusClient({
    address: target,
    ssl: encrypted || config.tls !== undefined,
    ...(config.tls === undefined ? {} : { tls: await readTls(config.tls, folder) }),
    // It would connect at once, and end the process when it cannot.
    __SKIP_CONNECT__: true,
    isGlobal: false,
    pool: { min: 0, max: 1 },
    channelOptions,
    logLevel: "error",
  });
  sdk.logger.level = level;
  // Without those of the client: they try again, write every request as JSON, and turn a missing method into success.
  client.channelOptions["interceptors"] = [sdk.getMetaInterceptor(identify(sdk, config))];
  const channel = await client.channelPool.acquire();
  const definitions = sdk.getGRPCService({ serviceName: service }, sdk.LOADER_OPTIONS).service;
  return { channel, definitions };
}

/** Puts into each call's header who we are, and which database is meant. */
function identify(sdk: Sdk, config: MilvusConfig) {
  const { token = "", username = "", password = "" } = config;
  const authorization = sdk.getAuthString({ token, username, password });
  return (header: { set(key: string, value: string): void }): void => {
    header.set("dbname", config.database);
    if (authorization !== "") header.set("authorization", authorization);
  };
}

async function load(): Promise<Sdk> {
  // Read once by the transport when it loads; what it would print arrives as a rejection too.
  process.env["GRPC_VERBOSITY"] ??= "NONE";
  try {
    return await import("@zilliz/milvus2-sdk-node");
  } catch (cause) {
    throw new Fault(
      "package.missing",
      "The sink `milvus` needs the package `@zilliz/milvus2-sdk-node`. Run " +
        "`npm install @zilliz/milvus2-sdk-node`.",
      { cause },
    );
  }
}

async function readTls(tls: NonNullable<MilvusConfig["tls"]>, folder: string) {
  const [rootCert, certChain, privateKey] = await Promise.all([
    readPem(tls.ca, "ca", folder),
    readPem(tls.certificate, "certificate", folder),
    readPem(tls.key, "key", folder),
  ]);
  return {
    ...(rootCert === undefined ? {} : { rootCert }),
    ...(certChain === undefined ? {} : { certChain }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(tls.server_name === undefined ? {} : { serverName: tls.server_name }),
  };
}

async function readPem(
  file: string | undefined,
  key: string,
  folder: string,
): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  const path = resolve(folder, file);
  const content = await readFile(path).catch((cause: unknown) => {
    throw new Fault("config.invalid", `\`tls.${key}\`: the file ${path} cannot be read.`, {
      cause,
    });
  });
  if (content.includes("-----BEGIN ")) return content;
  throw new Fault("config.invalid", `\`tls.${key}\`: the file ${path} holds no PEM.`);
}
