import type { EmbeddingCache, EmbeddingModel } from "../contracts/index.ts";
import { cacheKey } from "../cache/index.ts";
import { assert, isFault } from "../faults/index.ts";
import { bisect, Coalescer, type Outcome } from "../flow/index.ts";
import { checkVectors, hasDirection, zeroVector } from "./check-vectors.ts";
import type { RunContext } from "./context.ts";

/** A batch that is not full waits this long for company, unless the embedder says otherwise. */
const usualWaitMs = 20;

/** A text to embed. */
export interface EmbedItem {
  readonly key: string;
  readonly text: string;
  readonly tokens: number;
}

/** Turns texts into native vectors: batched over documents, each text once, every answer kept in the cache. */
export class EmbeddingService {
  readonly #context: RunContext;
  readonly #coalescer: Coalescer<EmbedItem, Float32Array>;
  readonly #inFlight = new Map<string, Promise<Outcome<Float32Array>>>();
  #model: EmbeddingModel | undefined;
  #spaceHash = "";

  constructor(context: RunContext) {
    this.#context = context;
    const { embedder } = context.pipeline;
    this.#coalescer = new Coalescer({
      limits: () => ({
        items: embedder.limits.textsPerCall,
        weight: embedder.limits.tokensPerCall,
        concurrent: embedder.limits.concurrentCalls,
      }),
      weigh: (item) => item.tokens,
      call: (items) => this.#embed(items),
      maxWaitMs: embedder.limits.maxWaitMs ?? usualWaitMs,
      clock: context.clock,
    });
  }

  get #cache(): EmbeddingCache | undefined {
    return this.#context.pipeline.cache;
  }

  /** From now on results are checked against this model and kept in the cache. */
  use(model: EmbeddingModel, space: string): void {
    this.#model = model;
    this.#spaceHash = space;
    const { pipeline, clock, tokens, meter } = this.#context;
    meter.begin({
      embedder: pipeline.embedder,
      clock,
      hasCache: this.#cache !== undefined,
      waiting: () => ({ texts: this.#coalescer.size, tokens: this.#coalescer.weight }),
      tokensHeld: () => tokens.used,
      tokensAllowed: pipeline.policy.limits.tokensInFlight,
    });
  }

  /** The key of a document text in the cache. */
  key(text: string): string {
    return cacheKey(this.#spaceHash, "document", text);
  }

  /** Tells what the cache has to say, such as that its server is away. */
  tellNews(): void {
    for (const note of this.#cache?.news?.() ?? []) {
      this.#context.emit({ kind: "component-noted", component: "cache", note });
    }
  }

  /** Those of the keys that the cache holds. */
  async cached(keys: readonly string[]): Promise<Map<string, Float32Array>> {
    const model = this.#openModel();
    if (this.#cache === undefined) return new Map();
    const found = await this.#cache.get(keys, model.dimensions.native);
    this.tellNews();
    const hits = keys.filter((key) => found.has(key)).length;
    this.#context.meter.looked({ hits, misses: keys.length - hits });
    return found;
  }

  /** Embeds one text, or joins the call that already does. */
  embed(item: EmbedItem): Promise<Outcome<Float32Array>> {
    const running = this.#inFlight.get(item.key);
    if (running !== undefined) return this.#joined(running);
    const embedding = this.#coalescer.submit(item).finally(() => this.#inFlight.delete(item.key));
    this.#inFlight.set(item.key, embedding);
    return embedding;
  }

  /** A text that fails was known to nobody. */
  async #joined(running: Promise<Outcome<Float32Array>>): Promise<Outcome<Float32Array>> {
    const outcome = await running;
    if (!("fault" in outcome)) this.#context.emit({ kind: "chunks-cached", count: 1 });
    return outcome;
  }

  /** In how many parts texts are embedded that may be longer than the model's context; undefined when none is cut. */
  async parts(texts: readonly string[]): Promise<readonly number[] | undefined> {
    const { embedder } = this.#context.pipeline;
    if (embedder.parts === undefined || texts.length === 0) return undefined;
    const { signal } = this.#context;
    try {
      return await this.#context.retry(
        "embedder",
        async () => (await embedder.parts?.(texts, signal)) ?? [],
        false,
      );
    } catch (error) {
      if (!isFault(error) || error.scope === "component") this.#context.fail("embedder", error);
      throw error;
    }
  }

  async #embed(items: readonly EmbedItem[]): Promise<readonly Outcome<Float32Array>[]> {
    if (this.#context.fatal !== undefined) throw this.#context.fatal;
    try {
      return await bisect(items, (part) => this.#embedOnce(part));
    } catch (error) {
      this.#context.fail("embedder", error);
      throw error;
    }
  }

  async #embedOnce(items: readonly EmbedItem[]): Promise<readonly Outcome<Float32Array>[]> {
    const { signal, meter, pipeline } = this.#context;
    const texts = items.map((item) => item.text);
    const counted = items.reduce((sum, item) => sum + item.tokens, 0);
    const { result, milliseconds } = await this.#context.retry(
      "embedder",
      () =>
        meter.time({ texts: texts.length, tokens: counted }, () =>
          pipeline.embedder.embed(texts, "document", signal),
        ),
      true,
    );
    const { vectors, tokens = counted } = result;
    const model = this.#openModel();
    checkVectors(vectors, texts.length, model);
    const { native } = model.dimensions;
    const entries = new Map<string, Float32Array>();
    const outcomes = vectors.map((value, index): Outcome<Float32Array> => {
      if (!hasDirection(value, native)) return { fault: zeroVector(model, native) };
      entries.set(items[index]?.key ?? "", value);
      return { value };
    });
    await this.#cache?.put(entries);
    this.tellNews();
    this.#context.emit({ kind: "chunks-embedded", count: items.length, tokens, milliseconds });
    return outcomes;
  }

  #openModel(): EmbeddingModel {
    assert(this.#model !== undefined, "The embedder is used before it is open.");
    return this.#model;
  }
}
