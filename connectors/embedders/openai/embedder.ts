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
import { raceAbort } from "../../../src/flow/index.ts";
import { configuredAddresses } from "./address.ts";
import type { OpenaiConfig } from "./config.ts";
import { Endpoint } from "./endpoint.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { embedRows } from "./embed-rows.ts";
import { describeModel, type ModelDescription } from "./model.ts";
import { PartPlan } from "./part-plan.ts";
import { ReferenceVector } from "./reference-vector.ts";
import { TokenInput, tokenInputOf } from "./token-input.ts";
import { type LongestText, refuseCut, refuseTooLong } from "./too-long.ts";

/** What `check` embeds, and every endpoint of several. */
const probeText = "Hello world";

/** Embeds through `POST /embeddings` of one or several OpenAI-compatible servers. */
export class OpenaiEmbedder implements Embedder {
  readonly tokenizer: Tokenizer;
  /** Present when texts that are too long are embedded in parts. */
  readonly parts?: NonNullable<Embedder["parts"]>;
  readonly #config: OpenaiConfig;
  readonly #description: ModelDescription;
  readonly #endpoints: readonly Endpoint[];
  readonly #pool: EndpointPool;
  /** The model's own tokenizer, where its file was given. */
  readonly #tokens: TokenInput | undefined;
  readonly #closed = new AbortController();
  #specialTokens: number;
  /** The length of every vector, once it is known. */
  #dimension: number | undefined;
  #reference: ReferenceVector | undefined;
  #opened: EmbeddingModel | undefined;

  constructor(config: OpenaiConfig, clock: Clock, folder: string) {
    const description = describeModel(config);
    this.#config = config;
    this.#description = description;
    this.#specialTokens = description.specialTokens;
    this.#tokens = tokenInputOf(config, description, folder);
    this.#endpoints = configuredAddresses(config).map((url) => new Endpoint(url, config, clock));
    this.#pool = new EndpointPool(this.#endpoints, {
      clock,
      concurrency: config.concurrency,
      prove: (endpoint) => this.#prove(endpoint),
      isProvable: () => this.#reference !== undefined,
      closed: this.#closed.signal,
    });
    this.#dimension = description.native;
    this.tokenizer = this.#tokens?.tokenizer ?? description.tokenizer;
    if (config.oversize === "split")
      this.parts = (texts, signal) => this.#countParts(texts, signal);
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
    await this.#readTokenizer(signal);
    const [only, ...others] = this.#endpoints;
    const { oversize, input } = this.#config;
    const mustAsk = this.#dimension === undefined || others.length > 0;
    // Where texts are cut has to be known before the first one; Ollama tells it once it has answered.
    if (mustAsk || oversize === "split" || input === "tokens") await this.check(signal);
    else await only?.detect(false, [this.#closed.signal, signal]);
    assert(this.#dimension !== undefined, "An answer was read and its dimension is unknown.");
    this.#opened ??= this.#description.model(
      this.#dimension,
      this.#contextTokens(),
      this.#specialTokens,
    );
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
    return this.#endpoints.map((endpoint) => {
      const load = endpoint.load(this.#closed.signal);
      return {
        place: endpoint.shown,
        ...endpoint.counts.measures(),
        // Servers do not tell what they pad.
        padding: 0,
        ...this.#pool.stateOf(endpoint),
        batchTokens: this.limits.tokensPerCall,
        batchTexts: endpoint.textsPerCall,
        ...(load === undefined ? {} : { load }),
      };
    });
  }

  async embed(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings> {
    signal.throwIfAborted();
    if (texts.length === 0) return { vectors: [] };
    if (this.#config.oversize === "split") return await this.#embedInParts(texts, purpose, signal);
    const template = this.#description.templates[purpose];
    return await this.#send(
      texts.map((text) => template.apply(text.toWellFormed())),
      signal,
    );
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
    await this.#tokens?.close();
  }

  async #readTokenizer(signal: AbortSignal): Promise<void> {
    if (this.#tokens === undefined) return;
    await raceAbort(this.#tokens.tokenizer.ready(), signal);
    const { before, after } = await this.#tokens.special();
    this.#specialTokens = before.length + after.length;
  }

  async #embedInParts(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings> {
    const plan = await this.#plan(purpose, signal);
    return await embedRows(await plan.rows(texts), texts.length, {
      limits: this.limits,
      plan,
      partsAlone: !this.tokenizer.exact && this.#endpoints.some(({ facts }) => facts.cuts),
      send: (input) => this.#send(input, signal),
    });
  }

  async #countParts(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    const plan = await this.#plan("document", signal);
    const parts = texts.map(() => 0);
    for (const { text } of await plan.rows(texts)) parts[text] = (parts[text] ?? 0) + 1;
    return parts;
  }

  async #plan(purpose: "document" | "query", signal: AbortSignal): Promise<PartPlan> {
    const { contextTokens } = await this.open(signal);
    const template = this.#description.templates[purpose];
    const [tokenizer, specialTokens] = [this.tokenizer, this.#specialTokens];
    return new PartPlan({ tokenizer, template, contextTokens, specialTokens });
  }

  /** The longest text that the model and every server read, as far as they have told by now. */
  #contextTokens(): number {
    const told = this.#endpoints.map(({ facts }) => facts.maxTokens ?? Infinity);
    return Math.min(this.#description.contextTokens, ...told);
  }

  /** One request for dressed texts, to the server with the least to do. */
  async #send(input: readonly string[], signal: AbortSignal): Promise<Embeddings> {
    for (const endpoint of this.#endpoints) await this.#refuseTooLong(input, endpoint);
    // Near enough to tokens: only the shares of the endpoints depend on it.
    const weight = input.reduce((sum, text) => sum + text.length, 0);
    return await this.#pool.run(
      weight,
      (endpoint) => this.#request(endpoint, input, [this.#closed.signal, signal]),
      signal,
    );
  }

  /** Embeds a text whose vector is known, or a harmless one of ours. */
  async #prove(endpoint: Endpoint): Promise<void> {
    const template = this.#description.templates.document;
    const input = this.#reference?.input ?? template.apply(probeText);
    try {
      endpoint.readsIds = false;
      const { vectors } = await this.#request(endpoint, [input], [this.#closed.signal]);
      for (const vector of vectors) this.#reference?.compare(vector, endpoint.shown);
      if (this.#config.input !== "tokens") return;
      endpoint.idsDoubt = await this.#tokens?.doubtOf(endpoint, [this.#closed.signal]);
      endpoint.readsIds = endpoint.idsDoubt === undefined;
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
    const ids = endpoint.readsIds
      ? await this.#tokens?.ids(input, AbortSignal.any([...signals]))
      : undefined;
    const request = { input, ids, dimension: this.#dimension, timeoutMs: this.#config.timeout_ms };
    const { vectors, tokens } = await endpoint.embed(request, signals);
    this.#learn(endpoint, input, vectors);
    await endpoint.detect(true, signals);
    await this.#learnEnd(endpoint, input, tokens);
    const longest = this.#longestOf(endpoint);
    // Only an estimate was made of whether it fits.
    if (longest?.cuts === true && !this.tokenizer.exact && input.length === 1) {
      refuseCut(tokens, longest);
    }
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

  async #refuseTooLong(input: readonly string[], endpoint: Endpoint): Promise<void> {
    const longest = this.#longestOf(endpoint);
    if (longest !== undefined) await refuseTooLong(input, longest, this.tokenizer);
  }

  /** The longest text that is sent to a server; undefined where it refuses by itself, and knows best. */
  #longestOf({ shown, facts }: Endpoint): LongestText | undefined {
    const { contextTokens } = this.#description;
    const specialTokens = this.#specialTokens;
    const { cuts } = facts;
    const maxTokens = cuts ? Math.min(facts.maxTokens ?? Infinity, contextTokens) : facts.maxTokens;
    return maxTokens === undefined ? undefined : { shown, maxTokens, specialTokens, cuts };
  }
}
