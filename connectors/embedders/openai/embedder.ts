import type {
  Clock,
  ComponentNote,
  Embedder,
  EmbedderLimits,
  EmbeddingModel,
  Embeddings,
  PlaceMeasures,
  Tokenizer,
} from "../../../src/contracts/index.ts";
import { assert, Fault } from "../../../src/faults/index.ts";
import { configuredAddresses } from "./address.ts";
import type { OpenaiConfig } from "./config.ts";
import { Endpoint } from "./endpoint.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { describeModel, type ModelDescription } from "./model.ts";
import { ReferenceVector } from "./reference-vector.ts";
import { refuseTooLong } from "./too-long.ts";

/** What `check` embeds, and every endpoint of several. */
const probeText = "Hello world";

/** Embeds through `POST /embeddings` of one or several OpenAI-compatible servers. */
export class OpenaiEmbedder implements Embedder {
  readonly tokenizer: Tokenizer;
  readonly #config: OpenaiConfig;
  readonly #description: ModelDescription;
  readonly #endpoints: readonly Endpoint[];
  readonly #pool: EndpointPool;
  readonly #closed = new AbortController();
  /** The length of every vector, once it is known. */
  #dimension: number | undefined;
  #reference: ReferenceVector | undefined;
  #opened: EmbeddingModel | undefined;

  constructor(config: OpenaiConfig, clock: Clock, description = describeModel(config)) {
    this.#config = config;
    this.#description = description;
    this.#endpoints = configuredAddresses(config).map((url) => new Endpoint(url, config, clock));
    this.#pool = new EndpointPool(this.#endpoints, {
      clock,
      concurrency: config.concurrency,
      prove: (endpoint) => this.#prove(endpoint),
      isProvable: () => this.#reference !== undefined,
      closed: this.#closed.signal,
    });
    this.#dimension = description.native;
    this.tokenizer = description.tokenizer;
  }

  get limits(): EmbedderLimits {
    const batches = this.#endpoints.map(({ facts }) => facts.batchTokens ?? Infinity);
    return {
      textsPerCall: Math.min(...this.#endpoints.map(({ textsPerCall }) => textsPerCall)),
      tokensPerCall: Math.min(this.#config.max_batch_tokens, ...batches),
      concurrentCalls: this.#pool.calls,
    };
  }

  async open(signal: AbortSignal): Promise<EmbeddingModel> {
    if (this.#opened !== undefined) return this.#opened;
    const [only, ...others] = this.#endpoints;
    if (this.#dimension === undefined || others.length > 0) await this.check(signal);
    else await only?.detect(false, [this.#closed.signal, signal]);
    assert(this.#dimension !== undefined, "An answer was read and its dimension is unknown.");
    this.#opened ??= this.#description.model(this.#dimension);
    return this.#opened;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#pool.proveAll(signal);
  }

  notes(): readonly ComponentNote[] {
    return this.#endpoints.flatMap((endpoint) => {
      if (!this.#pool.stateOf(endpoint).ejected) return endpoint.notes();
      const message =
        `\`${endpoint.shown}\` does not answer. The work goes on without it, and with it when it is back. ` +
        "Check that the server runs.";
      return [...endpoint.notes(), { level: "warning", message } satisfies ComponentNote];
    });
  }

  measures(): readonly PlaceMeasures[] {
    return this.#endpoints.map((endpoint) => ({
      place: endpoint.shown,
      ...endpoint.counts.measures(),
      // Servers do not tell what they pad.
      padding: 0,
      ...this.#pool.stateOf(endpoint),
      batchTokens: this.limits.tokensPerCall,
      batchTexts: endpoint.textsPerCall,
    }));
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
    for (const endpoint of this.#endpoints) await this.#refuseTooLong(input, endpoint);
    // Near enough to tokens: only the shares of the endpoints depend on it.
    const weight = input.reduce((sum, text) => sum + text.length, 0);
    return await this.#pool.run(
      weight,
      (endpoint) => this.#request(endpoint, input, [this.#closed.signal, signal]),
      signal,
    );
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
  }

  /** Embeds a text whose vector is known, or a harmless one of ours. */
  async #prove(endpoint: Endpoint): Promise<void> {
    const template = this.#description.templates.document;
    const input = this.#reference?.input ?? template.apply(probeText);
    try {
      const { vectors } = await this.#request(endpoint, [input], [this.#closed.signal]);
      for (const vector of vectors) this.#reference?.compare(vector, endpoint.shown);
    } catch (error) {
      // A server that refuses this text refuses everything.
      if (!(error instanceof Fault) || error.scope === "component") throw error;
      const { code, message, cause } = error;
      throw new Fault(code, message, { scope: "component", retry: "never", cause });
    }
  }

  async #request(
    endpoint: Endpoint,
    input: readonly string[],
    signals: readonly AbortSignal[],
  ): Promise<Embeddings> {
    const request = { input, dimension: this.#dimension, timeoutMs: this.#config.timeout_ms };
    const { vectors, tokens } = await endpoint.embed(request, signals);
    this.#learn(endpoint, input, vectors);
    await endpoint.detect(true, signals);
    await this.#learnEnd(endpoint, input, tokens);
    return { vectors, ...(tokens === undefined ? {} : { tokens }) };
  }

  /** The first answer of an unknown model fixes the dimension; a concurrent one of another length is refused. */
  #learn(endpoint: Endpoint, input: readonly string[], vectors: readonly Float32Array[]): void {
    const [text, vector] = [input[0], vectors[0]];
    const length = vector?.length;
    this.#dimension ??= length;
    if (length !== this.#dimension) {
      throw new Fault(
        "embed.invalid",
        `The embedding server at \`${endpoint.shown}\` gave vectors of ${length} numbers, and others had ` +
          `${this.#dimension}. Check that only one model answers there.`,
      );
    }
    if (text === undefined || vector === undefined) return;
    this.#reference ??= new ReferenceVector(text, vector.slice(), endpoint.shown);
  }

  /** The first count of tokens that a server gives shows whether it appends the model's end token. */
  async #learnEnd(
    endpoint: Endpoint,
    input: readonly string[],
    counted: number | undefined,
  ): Promise<void> {
    if (!this.#description.endToken || counted === undefined || endpoint.isEndMissing !== undefined)
      return;
    const counts = await this.tokenizer.countBatch(input);
    endpoint.isEndMissing = counted === counts.reduce((sum, count) => sum + count, 0);
  }

  async #refuseTooLong(input: readonly string[], { shown, facts }: Endpoint): Promise<void> {
    const { contextTokens } = this.#description;
    // Servers that refuse by themselves know best.
    const maxTokens = facts.cuts
      ? Math.min(facts.maxTokens ?? Infinity, contextTokens)
      : facts.maxTokens;
    if (maxTokens === undefined) return;
    await refuseTooLong(input, { shown, maxTokens, cuts: facts.cuts }, this.tokenizer);
  }
}
