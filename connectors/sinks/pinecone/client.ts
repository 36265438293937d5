import type * as Sdk from "@pinecone-database/pinecone";
import type { Clock } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { loadPackages } from "../../../src/flow/load-packages.ts";
import type { PineconeConfig } from "./config.ts";
import { type CallPurpose, toFault } from "./faults.ts";
import { type Failure, type Reply, type Send, Wire, WireError } from "./wire.ts";

/** Pinecone's own client with what it lacks: deadlines, aborts, and faults for errors. */
export class PineconeClient {
  readonly address: string;
  readonly clock: Clock;
  readonly #config: PineconeConfig;
  readonly #wire: Wire;
  #sdk: Promise<typeof Sdk> | undefined;

  constructor(config: PineconeConfig, address: string, clock: Clock) {
    this.#config = config;
    this.address = address;
    this.clock = clock;
    this.#wire = new Wire({ timeoutMs: config.timeout_ms, secret: config.api_key });
  }

  /** Makes one call of the client. Rejects with a fault, or with the reason of an abort. */
  async call<Value>(
    verb: CallPurpose["verb"],
    request: (sdk: Sdk.Pinecone) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Reply<Value>> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      throw this.#toFault(error, verb);
    }
  }

  /** The same, but gives undefined after a failure that is an answer too. */
  async callUnless<Value>(
    isAnswer: (failure: Failure) => boolean,
    verb: CallPurpose["verb"],
    request: (sdk: Sdk.Pinecone) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Reply<Value> | undefined> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      if (error instanceof WireError && isAnswer(error.failure)) return undefined;
      throw this.#toFault(error, verb);
    }
  }

  close(): void {
    this.#wire.close(new Fault("aborted", `The sink of ${this.address} is closed.`));
  }

  #toFault(error: unknown, verb: CallPurpose["verb"]): unknown {
    return toFault(error, { verb, address: this.address, now: this.clock.now() });
  }

  /** Each call has a client of its own, which costs microseconds: so its `fetch` knows which call it serves. */
  async #send<Value>(
    request: (sdk: Sdk.Pinecone) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Reply<Value>> {
    const { api_key: apiKey, control_url: controllerHostUrl } = this.#config;
    const { Pinecone } = await this.#load();
    const call = (send: Send): Promise<Value> =>
      request(
        new Pinecone({
          apiKey,
          // Retries are the engine's.
          maxRetries: 0,
          fetchApi: send as NonNullable<Sdk.PineconeConfiguration["fetchApi"]>,
          ...(controllerHostUrl === undefined ? {} : { controllerHostUrl }),
        }),
      );
    return this.#wire.call(call, signal);
  }

  #load(): Promise<typeof Sdk> {
    this.#sdk ??= loadSdk().catch((error: unknown) => {
      this.#sdk = undefined;
      throw error;
    });
    return this.#sdk;
  }
}

function loadSdk(): Promise<typeof Sdk> {
  return loadPackages(
    { user: "The sink `pinecone`", packages: ["@pinecone-database/pinecone"] },
    () => import("@pinecone-database/pinecone"),
  );
}
