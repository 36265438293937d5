import type {
  Clock,
  ComponentNote,
  Embedder,
  EmbedderLimits,
  EmbeddingModel,
  Embeddings,
  Tokenizer,
} from "../../../src/contracts/index.ts";
import { assert, Fault } from "../../../src/faults/index.ts";
import type { OpenaiConfig } from "./config.ts";
import { Endpoint } from "./endpoint.ts";
import { describeModel, type ModelDescription } from "./model.ts";
import { refuseTooLong } from "./too-long.ts";

/** What `check` and `open` embed. */
const probeText = "Hello world";

/** Embeds through `POST /embeddings` of an OpenAI-compatible server. */
export class OpenaiEmbedder implements Embedder {
  readonly tokenizer: Tokenizer;
  readonly #config: OpenaiConfig;
  readonly #description: ModelDescription;
  readonly #endpoint: Endpoint;
  readonly #closed = new AbortController();
  /** The length of every vector, once it is known. */
  #dimension: number | undefined;
  #opened: EmbeddingModel | undefined;

  constructor(config: OpenaiConfig, clock: Clock, description = describeModel(config)) {
    this.#config = config;
    this.#description = description;
    this.#endpoint = new Endpoint(config.url, config, clock);
    this.#dimension = description.native;
    this.tokenizer = description.tokenizer;
  }

  get limits(): EmbedderLimits {
    const { max_batch_tokens: tokens, concurrency } = this.#config;
    const { textsPerCall, facts } = this.#endpoint;
    const callsAllowed = Math.floor((facts.maxTextsInFlight ?? Infinity) / textsPerCall);
    return {
      textsPerCall,
      tokensPerCall: Math.min(tokens, facts.batchTokens ?? Infinity),
      concurrentCalls: Math.max(1, Math.min(concurrency, callsAllowed)),
    };
  }

  async open(signal: AbortSignal): Promise<EmbeddingModel> {
    if (this.#opened !== undefined) return this.#opened;
    if (this.#dimension === undefined) await this.check(signal);
    else await this.#endpoint.detect(false, [this.#closed.signal, signal]);
    assert(this.#dimension !== undefined, "An answer was read and its dimension is unknown.");
    this.#opened ??= this.#description.model(this.#dimension);
    return this.#opened;
  }

  async check(signal: AbortSignal): Promise<void> {
    const input = this.#description.templates.document.apply(probeText);
    try {
      await this.#request([input], signal);
    } catch (error) {
      // The text is ours and harmless: a server that refuses it refuses everything.
      if (!(error instanceof Fault) || error.scope === "component") throw error;
      const { code, message, cause } = error;
      throw new Fault(code, message, { scope: "component", retry: "never", cause });
    }
  }

  notes(): readonly ComponentNote[] {
    return this.#endpoint.notes();
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
    await this.#refuseTooLong(input);
    return await this.#request(input, signal);
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
  }

  async #request(input: readonly string[], signal: AbortSignal): Promise<Embeddings> {
    const { timeout_ms: timeoutMs } = this.#config;
    const request = { input, dimension: this.#dimension, timeoutMs };
    const signals = [this.#closed.signal, signal];
    const { vectors, tokens } = await this.#endpoint.embed(request, signals);
    this.#learn(vectors);
    await this.#endpoint.detect(true, signals);
    await this.#learnEnd(input, tokens);
    return { vectors, ...(tokens === undefined ? {} : { tokens }) };
  }

  /** The first count of tokens that a server gives shows whether it appends the model's end token. */
  async #learnEnd(input: readonly string[], counted: number | undefined): Promise<void> {
    const endpoint = this.#endpoint;
    if (!this.#description.endToken || counted === undefined || endpoint.isEndMissing !== undefined)
      return;
    const counts = await this.tokenizer.countBatch(input);
    endpoint.isEndMissing = counted === counts.reduce((sum, count) => sum + count, 0);
  }

  async #refuseTooLong(input: readonly string[]): Promise<void> {
    const { shown, facts } = this.#endpoint;
    const { contextTokens } = this.#description;
    // Servers that refuse by themselves know best.
    const maxTokens = facts.cuts
      ? Math.min(facts.maxTokens ?? Infinity, contextTokens)
      : facts.maxTokens;
    if (maxTokens === undefined) return;
    await refuseTooLong(input, { shown, maxTokens, cuts: facts.cuts }, this.tokenizer);
  }

  /** The first answer of an unknown model fixes the dimension; a concurrent one of another length is refused. */
  #learn(vectors: readonly Float32Array[]): void {
    const length = vectors[0]?.length;
    this.#dimension ??= length;
    if (length === this.#dimension) return;
    throw new Fault(
      "embed.invalid",
      `The embedding server at \`${this.#endpoint.shown}\` gave vectors of ${this.#dimension} ` +
        `and of ${length} numbers. Check that only one model answers there.`,
    );
  }
}
