import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { embeddingAnswer } from "./embedding-answer.ts";
import {
  type EmbeddingBehaviour,
  type EmbeddingRequest,
  type EmbeddingScript,
} from "./embedding-behaviour.ts";
import {
  gone,
  readBody,
  sendEndless,
  sendHalf,
  sendJson,
  sendStatus,
  sendText,
} from "./embedding-responses.ts";
import { textHash } from "./embedding-vector.ts";
import { playScript } from "./script.ts";
import { TokenQueue } from "./token-queue.ts";

export interface EmbeddingServerOptions {
  /** The length of the vectors; 1024 when left out. */
  readonly dimension?: number;
  /** Read this many tokens per second in total; at once when left out. */
  readonly tokensPerSecond?: number;
  /** Added to every answer. */
  readonly latencyMs?: number;
  /** Tokens of a text; one for every four UTF-16 units when left out. */
  readonly countTokens?: (text: string) => number;
  readonly behaviour?: EmbeddingScript;
  /** Remember which texts were answered; on when left out. Costs memory per distinct text. */
  readonly remember?: boolean;
}

export interface EmbeddingServerStats {
  /** Requests that arrived. */
  readonly requests: number;
  /** Requests, texts and tokens that were answered with honest vectors. */
  readonly answered: number;
  readonly texts: number;
  readonly tokens: number;
  /** Texts answered more than once, counted once for every further time. */
  readonly repeated: number;
  /** Distinct texts answered. */
  readonly distinct: number;
  readonly maxConcurrent: number;
  /** With `tokensPerSecond`: milliseconds in which there was something to read. */
  readonly busyMs: number;
  /** Milliseconds from the first arrival to the last answer. */
  readonly spanMs: number;
}

export interface EmbeddingServer {
  /** The API's address, ending in `/v1`. */
  readonly url: string;
  stats(): EmbeddingServerStats;
  /** Forgets counts and texts. */
  reset(): void;
  /** How often this text was answered. */
  timesAnswered(text: string): number;
  /** The hashes (`textHash`) of all texts answered, with how often. */
  answeredTexts(): ReadonlyMap<string, number>;
  /** How requests are answered from now on; honestly when undefined. */
  behave(script: EmbeddingScript | undefined): void;
  /** Closes all connections; may be called twice. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An OpenAI-compatible embedding server on a free loopback port, for tests and benchmarks. */
export async function startEmbeddingServer(
  options: EmbeddingServerOptions = {},
): Promise<EmbeddingServer> {
  const stub = new StubServer(options);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    stub.handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Bound to a port, never to a pipe.
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => closeServer(server, stub);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    stats: () => stub.stats(),
    reset: () => stub.reset(),
    timesAnswered: (text) => stub.answered.get(textHash(text)) ?? 0,
    answeredTexts: () => stub.answered,
    behave: (script) => stub.behave(script),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function closeServer(server: Server, stub: StubServer): Promise<void> {
  stub.closing.abort();
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

const none = { requests: 0, answered: 0, texts: 0, tokens: 0, repeated: 0, maxConcurrent: 0 };

class StubServer {
  readonly closing = new AbortController();
  readonly answered = new Map<string, number>();
  readonly #options: EmbeddingServerOptions;
  #play: (request: EmbeddingRequest) => EmbeddingBehaviour | undefined;
  #queue: TokenQueue;
  #counts = { ...none };
  #concurrent = 0;
  #firstAt: number | undefined;
  #lastAt = 0;

  constructor(options: EmbeddingServerOptions) {
    this.#options = options;
    this.#play = playScript(options.behaviour);
    this.#queue = new TokenQueue(options.tokensPerSecond ?? Number.POSITIVE_INFINITY);
  }

  behave(script: EmbeddingScript | undefined): void {
    this.#play = playScript(script);
  }

  reset(): void {
    this.answered.clear();
    this.#counts = { ...none };
    this.#queue = new TokenQueue(this.#options.tokensPerSecond ?? Number.POSITIVE_INFINITY);
    this.#firstAt = undefined;
    this.#lastAt = 0;
  }

  stats(): EmbeddingServerStats {
    return {
      ...this.#counts,
      distinct: this.answered.size,
      busyMs: this.#queue.busyMs,
      spanMs: Math.max(0, this.#lastAt - (this.#firstAt ?? this.#lastAt)),
    };
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(message);
    if (message.method === "GET" && message.url === "/stats")
      return sendJson(response, this.stats());
    if (message.method === "POST" && message.url === "/reset") {
      this.reset();
      return sendJson(response, {});
    }
    if (message.method !== "POST" || message.url !== "/v1/embeddings") {
      return sendStatus(response, { status: 404, body: '{"detail":"Not Found"}' });
    }
    this.#firstAt ??= performance.now();
    this.#concurrent += 1;
    this.#counts.requests += 1;
    this.#counts.maxConcurrent = Math.max(this.#counts.maxConcurrent, this.#concurrent);
    try {
      await this.#embed(parseRequest(body, this.#counts.requests, message), response);
    } finally {
      this.#concurrent -= 1;
    }
  }

  async #embed(request: EmbeddingRequest, response: ServerResponse): Promise<void> {
    const behaviour = this.#play(request);
    if (behaviour !== undefined && (await this.#misbehave(behaviour, response))) return;
    const count = this.#options.countTokens ?? ((text) => Math.ceil(text.length / 4));
    const tokens = request.texts.reduce((sum, text) => sum + count(text), 0);
    const queued = this.#queue.take(tokens, performance.now());
    const slow = behaviour?.kind === "slow" ? behaviour.ms : 0;
    await this.#wait(queued + slow + (this.#options.latencyMs ?? 0));
    const hashes = request.texts.map((text) => textHash(text));
    const dimension = this.#options.dimension ?? 1024;
    const text = embeddingAnswer({ request, dimension, hashes, tokens, behaviour });
    if (behaviour?.kind === "cut-off" || behaviour?.kind === "half") {
      return sendHalf(response, text, behaviour.kind);
    }
    // Counted when the whole answer has been handed to the connection; a client that left was not answered.
    if (response.destroyed) return;
    if (behaviour === undefined || honest.has(behaviour.kind)) this.#count(hashes, tokens);
    sendText(response, text);
  }

  /** Answers without vectors; false when vectors are to be made after all. */
  async #misbehave(behaviour: EmbeddingBehaviour, response: ServerResponse): Promise<boolean> {
    switch (behaviour.kind) {
      case "status":
        sendStatus(response, behaviour);
        return true;
      case "body":
        sendText(response, behaviour.body, behaviour.type);
        return true;
      case "html":
        sendText(response, "<!doctype html><title>Sign in</title>", "text/html");
        return true;
      case "endless":
        await sendEndless(response);
        return true;
      case "hang":
        await gone(response, this.closing.signal);
        return true;
      case "reset":
        response.socket?.resetAndDestroy();
        return true;
      default:
        return false;
    }
  }

  #count(hashes: readonly string[], tokens: number): void {
    this.#counts.answered += 1;
    this.#counts.texts += hashes.length;
    this.#counts.tokens += tokens;
    this.#lastAt = performance.now();
    if (this.#options.remember === false) return;
    for (const name of hashes) {
      const times = (this.answered.get(name) ?? 0) + 1;
      this.answered.set(name, times);
      if (times > 1) this.#counts.repeated += 1;
    }
  }

  async #wait(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    await wait(milliseconds, undefined, { signal: this.closing.signal });
  }
}

/** Behaviours whose vectors are the right ones. */
const honest = new Set<EmbeddingBehaviour["kind"]>(["slow", "shuffled", "floats"]);

function parseRequest(body: string, number: number, message: IncomingMessage): EmbeddingRequest {
  const request = JSON.parse(body) as {
    readonly input: string | readonly string[];
    readonly model: string;
    readonly encoding_format?: string;
    readonly dimensions?: number;
  };
  return {
    number,
    texts: typeof request.input === "string" ? [request.input] : request.input,
    model: request.model,
    encoding: request.encoding_format ?? "float",
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
    headers: message.headers,
  };
}
