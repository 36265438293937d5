import type { Clock, Embedder, EmbeddingModel } from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import { retry, type RetryPolicy } from "../../flow/retry.ts";
import { systemClock } from "../../flow/system-clock.ts";

type Purpose = "document" | "query";

const policy: RetryPolicy = { attempts: 4, baseMs: 250, maxMs: 5_000, totalMs: 120_000 };

/** Asks an embedder what the checks want to know: repeats what fails in passing, and asks nothing alone twice. */
export class Witness {
  readonly model: EmbeddingModel;
  readonly #embedder: Embedder;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #alone = new Map<string, Promise<Float32Array>>();

  private constructor(
    embedder: Embedder,
    model: EmbeddingModel,
    signal: AbortSignal,
    clock: Clock,
  ) {
    this.model = model;
    this.#embedder = embedder;
    this.#signal = signal;
    this.#clock = clock;
  }

  static async call(
    embedder: Embedder,
    signal: AbortSignal,
    clock: Clock = systemClock,
  ): Promise<Witness> {
    const call = (): Promise<EmbeddingModel> => embedder.open(signal);
    return new Witness(embedder, await repeated(call, signal, clock), signal, clock);
  }

  /** The most texts that can be told to be in one batch. */
  get batch(): number {
    return this.#embedder.limits.textsPerCall;
  }

  /** Tokens of texts by the embedder's own tokenizer, without those that the model adds. */
  count(texts: readonly string[]): Promise<readonly number[]> {
    return this.#embedder.tokenizer.countBatch(texts);
  }

  /** The vector of a text that is embedded with no other. */
  alone(text: string, purpose: Purpose = "document"): Promise<Float32Array> {
    const key = `${purpose}:${text}`;
    const asked = this.#alone.get(key) ?? this.#first(text, purpose);
    this.#alone.set(key, asked);
    return asked;
  }

  /** The vectors of texts that are embedded in one call. */
  async together(texts: readonly string[]): Promise<readonly Float32Array[]> {
    return (await this.#embed(texts, "document")).vectors;
  }

  /** How many tokens the server says a text has; undefined when it does not tell. */
  async tokensOf(text: string): Promise<number | undefined> {
    return (await this.#embed([text], "document")).tokens;
  }

  async #first(text: string, purpose: Purpose): Promise<Float32Array> {
    const [vector] = (await this.#embed([text], purpose)).vectors;
    if (vector === undefined) throw this.#invalid("no vector");
    return vector;
  }

  async #embed(texts: readonly string[], purpose: Purpose) {
    const call = () => this.#embedder.embed(texts, purpose, this.#signal);
    const answer = await repeated(call, this.#signal, this.#clock);
    if (answer.vectors.length !== texts.length) throw this.#invalid("another number of vectors");
    const { native } = this.model.dimensions;
    for (const vector of answer.vectors) {
      if (vector.length !== native) throw this.#invalid(`a vector of ${vector.length} numbers`);
      if (!vector.every(Number.isFinite)) throw this.#invalid("a number that is not finite");
    }
    return answer;
  }

  #invalid(what: string): Fault {
    const { id, dimensions } = this.model;
    return new Fault(
      "embed.invalid",
      `The embedder \`${id}\` gave ${what}, where vectors of ${dimensions.native} numbers were expected.`,
    );
  }
}

function repeated<T>(call: () => Promise<T>, signal: AbortSignal, clock: Clock): Promise<T> {
  return retry(call, { policy, clock, random: Math.random, ambiguous: true }, signal);
}
