import type { Clock, ComponentNote, PlaceLoad } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { type Address, parseAddress } from "./address.ts";
import { type Answer, hiddenError, largestAnswer, parseBody, readAnswer } from "./answer.ts";
import type { OpenaiConfig } from "./config.ts";
import {
  allowedTexts,
  type Failure,
  type FailureContext,
  failureFault,
  refusesBase64,
} from "./failure.ts";
import { EndpointCounts } from "./endpoint-counts.ts";
import { knownModel } from "../../../src/models/index.ts";
import { normalize } from "../../../src/tokenizer/normalize.ts";
import { post } from "./post.ts";
import { askText, questions } from "./server/ask-server.ts";
import { detectServer, unknownServer } from "./server/detect-server.ts";
import { LoadWatch } from "./server/load-watch.ts";
import type { ServerFacts } from "./server/server-kind.ts";
import { loadOf, tellsLoad } from "./server/server-load.ts";
import { idsDoubtNote, missingEndNote, serverNotes } from "./server/server-notes.ts";

export interface EndpointRequest {
  /** The texts, dressed. */
  readonly input: readonly string[];
  /** The ids of the texts, to send in their place. */
  readonly ids?: readonly (readonly number[])[] | undefined;
  /** The length that every vector must have; unknown before the first answer of an unknown model. */
  readonly dimension: number | undefined;
  readonly timeoutMs: number;
}

/** One address of a server: what is known of it, and single requests to it. */
export class Endpoint {
  /** The address for messages. */
  readonly shown: string;
  /** Whether the server leaves out the token that ends every text of the model; unknown before it has counted one. */
  isEndMissing: boolean | undefined;
  /** Whether it was proven that it gives token ids the vectors of their texts. */
  readsIds = false;
  /** Why not, where that was tried. */
  idsDoubt: string | undefined;
  readonly counts = new EndpointCounts();
  readonly #config: OpenaiConfig;
  readonly #clock: Clock;
  readonly #address: Address;
  readonly #headers: Readonly<Record<string, string>>;
  /** The server may take fewer texts than configured; it says so before or once. */
  #textsPerCall: number;
  /** The model's own tokenizer composes letters and their marks; then it does no harm to any server to do so here. */
  readonly #modelComposes: boolean;
  #encoding: "base64" | "float" = "base64";
  #facts: ServerFacts | undefined;
  #load: LoadWatch | undefined;
  /** Whether it was asked what it is, and whether its model had to be loaded then. */
  #asked: "cold" | "loaded" | undefined;
  /** The model's name as the first answer gave it. */
  #modelName: string | undefined;

  constructor(url: string, config: OpenaiConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#address = parseAddress(url);
    this.shown = this.#address.shown;
    this.#headers = headersOf(config, this.#address);
    this.#textsPerCall = config.max_batch_texts;
    this.#modelComposes = (config.tokenizer ?? knownModel(config.model)?.tokenizer) === "qwen3";
  }

  get textsPerCall(): number {
    return this.#textsPerCall;
  }

  /** How many calls may be under way, as far as the server says. */
  get callsAllowed(): number {
    return Math.floor((this.facts.maxTextsInFlight ?? Infinity) / this.#textsPerCall);
  }

  /** What the server says of itself. */
  get facts(): ServerFacts {
    return this.#facts ?? unknownServer;
  }

  /** What the server says of its load, as it was heard last; it is asked again in passing, at most until the signal aborts. */
  load(signal: AbortSignal): PlaceLoad | undefined {
    const { kind } = this.facts;
    if (!tellsLoad(kind) || signal.aborted) return undefined;
    this.#load ??= new LoadWatch(this.#clock, async () => {
      const page = await askText(this.#address.endpoint, "metrics", this.#headers, [signal]);
      return page === undefined ? undefined : loadOf(kind, page);
    });
    return this.#load.read();
  }

  notes(): readonly ComponentNote[] {
    const notes = [...serverNotes(this.shown, this.facts)];
    if (this.isEndMissing === true) notes.push(missingEndNote(this.shown));
    if (this.idsDoubt !== undefined) notes.push(idsDoubtNote(this.shown, this.idsDoubt));
    return notes;
  }

  /**
   * Asks the server what it is, once, and again after its first answer if it left open how long a text may be: it may
   * have been down, or loading its model. Ollama may have given the model another context then. Rejects only when a
   * signal aborts.
   */
  async detect(isLoaded: boolean, signals: readonly AbortSignal[]): Promise<void> {
    const { kind, maxTokens } = this.facts;
    const leftOpen = maxTokens === undefined || kind === "ollama";
    const mayTellMore = isLoaded && this.#asked === "cold" && leftOpen;
    if (this.#asked !== undefined && !mayTellMore) return;
    this.#asked = isLoaded ? "loaded" : "cold";
    const { model, server } = this.#config;
    const ask = questions(this.#address.endpoint, this.#headers, signals);
    const facts = await detectServer(ask, model, server).catch((error: unknown) => {
      this.#asked = undefined;
      throw error;
    });
    this.#facts = facts;
    const allowed = Math.min(facts.maxTexts ?? Infinity, facts.maxTextsInFlight ?? Infinity);
    this.#textsPerCall = Math.min(this.#textsPerCall, allowed);
  }

  /** One request. Rejects with the reason of the first signal that aborts, or with a fault. */
  async embed(request: EndpointRequest, signals: readonly AbortSignal[]): Promise<Answer> {
    const started = this.#clock.monotonic();
    try {
      const answer = await this.#embed(request, signals);
      this.counts.answered(answer, this.#clock.monotonic() - started);
      return answer;
    } catch (error) {
      this.counts.failed(error);
      throw error;
    }
  }

  async #embed(request: EndpointRequest, signals: readonly AbortSignal[]): Promise<Answer> {
    const { shown } = this;
    const { dimension, timeoutMs } = request;
    const texts = request.input.length;
    const answer = await post(
      {
        endpoint: this.#address.endpoint,
        shown,
        headers: this.#headers,
        body: this.#bodyOf(request),
        timeoutMs,
        maxBytes: largestAnswer(texts, dimension),
      },
      signals,
    );
    const retryAfter = answer.headers.get("retry-after");
    if (!answer.ok) throw this.#faultOf({ ...answer, retryAfter }, texts);
    const expected = { shown, texts, dimension };
    const body = parseBody(answer.text, expected);
    const hidden = hiddenError(body);
    if (hidden !== undefined) {
      throw this.#faultOf({ ...hidden, retryAfter, text: answer.text }, texts);
    }
    const embeddings = readAnswer(body, expected);
    this.#checkModel(embeddings);
    return embeddings;
  }

  #bodyOf({ input, ids }: EndpointRequest): string {
    const { model, dimensions } = this.#config;
    const compose = this.#modelComposes || this.facts.wantsComposed === true;
    const sent = ids ?? (compose ? input.map((text) => normalize(text)) : input);
    return JSON.stringify({ model, input: sent, encoding_format: this.#encoding, dimensions });
  }

  /** A server whose answers change their model's name has another model, or several behind one address. */
  #checkModel({ model }: Answer): void {
    this.#modelName ??= model;
    if (model === undefined || model === this.#modelName) return;
    throw new Fault(
      "embed.invalid",
      `The embedding server at \`${this.shown}\` answers with the model \`${model}\`, and did with ` +
        `\`${this.#modelName}\` before. Nothing of the answer is used. Check that only one model answers there.`,
    );
  }

  #faultOf(failure: Failure, texts: number): Fault {
    const { shown } = this;
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
