import type {
  Clock,
  Embedder,
  EmbedderLimits,
  EmbeddingModel,
  Embeddings,
  Tokenizer,
} from "../../../src/contracts/index.ts";
import { assert, Fault } from "../../../src/faults/index.ts";
import { type Address, parseAddress } from "./address.ts";
import { hiddenError, largestAnswer, parseBody, readAnswer } from "./answer.ts";
import type { OpenaiConfig } from "./config.ts";
import {
  allowedTexts,
  type Failure,
  type FailureContext,
  failureFault,
  refusesBase64,
} from "./failure.ts";
import { describeModel, type ModelDescription } from "./model.ts";
import { post } from "./post.ts";

/** What `check` and `open` embed. */
const probeText = "What is a vector index?";

/** Embeds through `POST /embeddings` of an OpenAI-compatible server. */
export class OpenaiEmbedder implements Embedder {
  readonly tokenizer: Tokenizer;
  readonly #config: OpenaiConfig;
  readonly #clock: Clock;
  readonly #address: Address;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #description: ModelDescription;
  readonly #closed = new AbortController();
  /** The length of every vector, once it is known. */
  #dimension: number | undefined;
  /** The server may take fewer texts than configured; it says so once. */
  #textsPerCall: number;
  #encoding: "base64" | "float" = "base64";

  constructor(config: OpenaiConfig, clock: Clock, description = describeModel(config)) {
    this.#config = config;
    this.#clock = clock;
    this.#description = description;
    this.#address = parseAddress(config.url);
    this.#headers = headersOf(config, this.#address);
    this.#dimension = description.native;
    this.#textsPerCall = config.max_batch_texts;
    this.tokenizer = description.tokenizer;
  }

  get limits(): EmbedderLimits {
    return {
      textsPerCall: this.#textsPerCall,
      tokensPerCall: this.#config.max_batch_tokens,
      concurrentCalls: this.#config.concurrency,
    };
  }

  async open(signal: AbortSignal): Promise<EmbeddingModel> {
    if (this.#dimension === undefined) await this.check(signal);
    assert(this.#dimension !== undefined, "An answer was read and its dimension is unknown.");
    return this.#description.model(this.#dimension);
  }

  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.embed([probeText], "document", signal);
    } catch (error) {
      // The text is ours and harmless: a server that refuses it refuses everything.
      if (!(error instanceof Fault) || error.scope === "component") throw error;
      const { code, message, cause } = error;
      throw new Fault(code, message, { scope: "component", retry: "never", cause });
    }
  }

  async embed(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings> {
    signal.throwIfAborted();
    if (texts.length === 0) return { vectors: [] };
    const template = this.#description.templates[purpose];
    const input = texts.map((text) => template.apply(text.toWellFormed()));
    const dimension = this.#dimension;
    const answer = await post(
      {
        endpoint: this.#address.endpoint,
        shown: this.#address.shown,
        headers: this.#headers,
        body: this.#bodyOf(input),
        timeoutMs: this.#config.timeout_ms,
        maxBytes: largestAnswer(texts.length, dimension),
      },
      [this.#closed.signal, signal],
    );
    const retryAfter = answer.headers.get("retry-after");
    if (!answer.ok) throw this.#faultOf({ ...answer, retryAfter }, texts.length);
    const expected = { shown: this.#address.shown, texts: texts.length, dimension };
    const body = parseBody(answer.text, expected);
    const hidden = hiddenError(body);
    if (hidden !== undefined) {
      throw this.#faultOf({ ...hidden, retryAfter, text: answer.text }, texts.length);
    }
    const embeddings = readAnswer(body, expected);
    this.#learn(embeddings);
    return embeddings;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
  }

  #bodyOf(input: readonly string[]): string {
    const { model, dimensions } = this.#config;
    return JSON.stringify({ model, input, encoding_format: this.#encoding, dimensions });
  }

  /** The first answer of an unknown model fixes the dimension; a concurrent one of another length is refused. */
  #learn({ vectors }: Embeddings): void {
    const length = vectors[0]?.length;
    this.#dimension ??= length;
    if (length === this.#dimension) return;
    throw new Fault(
      "embed.invalid",
      `The embedding server at \`${this.#address.shown}\` gave vectors of ${this.#dimension} ` +
        `and of ${length} numbers. Check that only one model answers there.`,
    );
  }

  #faultOf(failure: Failure, texts: number): Fault {
    const { shown } = this.#address;
    if (this.#encoding === "base64" && refusesBase64(failure)) {
      this.#encoding = "float";
      const message = `The embedding server at \`${shown}\` does not send base64; from now on it is asked for numbers.`;
      return new Fault("embed.rejected", message, { scope: "component", retry: "later" });
    }
    const allowed = allowedTexts(failure);
    if (allowed !== undefined) this.#textsPerCall = Math.min(this.#textsPerCall, allowed);
    const context: FailureContext = {
      shown,
      texts,
      model: this.#config.model,
      dimensionsAsked: this.#config.dimensions !== undefined,
      now: this.#clock.now(),
    };
    return failureFault(failure, context);
  }
}

function headersOf(config: OpenaiConfig, address: Address): Record<string, string> {
  const headers = new Headers({ accept: "application/json", "user-agent": "sluice" });
  if (address.authorization !== undefined) headers.set("authorization", address.authorization);
  if (config.api_key) headers.set("authorization", `Bearer ${config.api_key}`);
  for (const [name, value] of Object.entries(config.headers)) headers.set(name, value);
  headers.set("content-type", "application/json");
  return Object.fromEntries(headers);
}
