import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type * as Grpc from "@grpc/grpc-js";
import { Fault } from "../../../src/faults/index.ts";
import { loadPackages } from "../../../src/flow/load-packages.ts";
import { parseAddress } from "./address.ts";
import type { MilvusConfig } from "./config.ts";
import { toFault, type Doing, type Failure } from "./faults.ts";
import type { Answers, Method, Status } from "./messages.ts";

type PemFiles = [authority: Buffer | null, key: Buffer | null, certificate: Buffer | null];
type Definitions = Grpc.ServiceDefinition;

/** The transport, and how Milvus' messages are encoded. */
interface Library {
  readonly grpc: typeof Grpc;
  readonly definitions: Definitions;
}

/** A connection, made when the first call needs it. */
interface Connection {
  readonly client: Grpc.Client;
  /** Says in each call who we are, and which database is meant. */
  readonly header: Grpc.Metadata;
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

const serviceName = "milvus.proto.milvus.MilvusService";

/**
 * Messages of any length, because the server has limits of its own. Connections are not shared with others in the
 * process, nor the pause after a failed one, which stays short. Pings find a connection that died in silence, while a
 * call waits; more of them some servers take for an attack.
 */
const channelOptions: Grpc.ClientOptions = {
  "grpc.max_send_message_length": -1,
  "grpc.max_receive_message_length": -1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 0,
};

/**
 * Calls of Milvus' service with the official client's messages, but past its methods (see
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
    if (status === null) throw toFault(noStatus, options);
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
      ({ client }) => client.close(),
      () => undefined,
    );
    this.#opening = undefined;
  }

  #send<Name extends Method>(
    { client, header, definitions }: Connection,
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
    const call = client.makeUnaryRequest<Buffer, Answers[Name]>(
      path,
      (encoded) => encoded,
      responseDeserialize,
      bytes,
      header,
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

/** Something in between, or a server that does not know the method, may give an answer that says nothing. */
const noStatus: Failure = { kind: "transport", code: 13, text: "an answer without a status" };

/** Some answers are nothing but their status; one that is empty has none, whatever its type says. */
function statusOf(answer: Answers[Method]): Status | null {
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
  const { grpc, definitions } = await loadLibrary();
  const { target, encrypted } = parseAddress(config.address);
  const { tls } = config;
  const isPlain = !encrypted && tls === undefined;
  const credentials = isPlain
    ? grpc.credentials.createInsecure()
    : createSsl(grpc, await readTls(tls ?? {}, folder));
  const name = tls?.server_name;
  const client = new grpc.Client(target, credentials, {
    ...channelOptions,
    ...(name === undefined ? {} : { "grpc.ssl_target_name_override": name }),
  });
  return { client, header: headerOf(grpc, config), definitions };
}

function headerOf(grpc: typeof Grpc, config: MilvusConfig): Grpc.Metadata {
  const { database, token = "", username = "", password = "" } = config;
  const header = new grpc.Metadata();
  header.set("dbname", database);
  const login = token === "" && username !== "" ? `${username}:${password}` : token;
  if (login !== "") header.set("authorization", Buffer.from(login).toString("base64"));
  return header;
}

let loading: Promise<Library> | undefined;

/** Loads the packages on first use. */
function loadLibrary(): Promise<Library> {
  const packages = ["@zilliz/milvus2-sdk-node", "@grpc/grpc-js"];
  loading ??= loadPackages({ user: "The sink `milvus`", packages }, load).catch(
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

async function load(): Promise<Library> {
  // Read once by the transport when it loads; what it would print arrives as a rejection too.
  process.env["GRPC_VERBOSITY"] ??= "NONE";
  const grpc = await import("@grpc/grpc-js");
  const { getGRPCService, LOADER_OPTIONS } = await import("@zilliz/milvus2-sdk-node");
  return { grpc, definitions: getGRPCService({ serviceName }, LOADER_OPTIONS).service };
}

function createSsl(grpc: typeof Grpc, pems: PemFiles): Grpc.ChannelCredentials {
  try {
    return grpc.credentials.createSsl(...pems);
  } catch (cause) {
    throw new Fault(
      "config.invalid",
      "The files under `tls` cannot be used: one is damaged, or `key` does not belong to `certificate`.",
      { cause },
    );
  }
}

/** The certificates as the transport takes them: the authority's, our key, our own. */
async function readTls(tls: NonNullable<MilvusConfig["tls"]>, folder: string): Promise<PemFiles> {
  return Promise.all([
    readPem(tls.ca, "ca", folder),
    readPem(tls.key, "key", folder),
    readPem(tls.certificate, "certificate", folder),
  ]);
}

async function readPem(
  file: string | undefined,
  key: string,
  folder: string,
): Promise<Buffer | null> {
  if (file === undefined) return null;
  const path = resolve(folder, file);
  const content = await readFile(path).catch((cause: unknown) => {
    throw new Fault("config.invalid", `\`tls.${key}\`: the file ${path} cannot be read.`, {
      cause,
    });
  });
  if (content.includes("-----BEGIN ")) return content;
  throw new Fault("config.invalid", `\`tls.${key}\`: the file ${path} holds no PEM.`);
}
