import { createHash } from "node:crypto";
import type { Embedder, EmbeddingModel } from "../../contracts/index.ts";
import { cutText, mergeParts } from "../../embedding/index.ts";
import { Fault } from "../../faults/index.ts";
import { createFakeTokenizer } from "./tokenizer.ts";

export interface FakeEmbedderOptions {
  /** The length of the vectors; 16 when left out. */
  readonly dimension?: number;
  /** The model's name; another name gives other vectors. */
  readonly model?: string;
  /** The longest text in tokens; 512 when left out. */
  readonly contextTokens?: number;
  /** Texts that are longer are embedded in parts instead of refused. */
  readonly inParts?: boolean;
  /** What the far end answers to the texts, in place of honest vectors. */
  readonly answer?: (
    texts: readonly string[],
    honest: readonly Float32Array[],
    signal: AbortSignal,
  ) => Promise<readonly Float32Array[]>;
}

const prompts = { document: "", query: "query: " };

/** An embedder that needs no model: a text's vector is drawn from a hash of it. Equal texts get equal vectors. */
export function createFakeEmbedder(options: FakeEmbedderOptions = {}): Embedder {
  const dimension = options.dimension ?? 16;
  const model: EmbeddingModel = {
    id: options.model ?? "fake-hash",
    dimensions: { native: dimension, min: Math.min(4, dimension), matryoshka: true },
    contextTokens: options.contextTokens ?? 512,
    prompts,
  };
  const tokenizer = createFakeTokenizer();
  const limits = { textsPerCall: 32, tokensPerCall: 16_384, concurrentCalls: 4 };
  const { contextTokens } = model;
  const cut = (texts: readonly string[]) =>
    Promise.all(texts.map((text) => cutText(text, tokenizer, contextTokens)));
  return {
    tokenizer,
    limits,
    ...(options.inParts === true
      ? { parts: async (texts) => (await cut(texts)).map((parts) => parts.length) }
      : {}),
    open: async (signal) => {
      signal.throwIfAborted();
      return model;
    },
    async embed(texts, purpose, signal) {
      signal.throwIfAborted();
      const counts = await tokenizer.countBatch(texts);
      if (options.inParts !== true) checkLengths(counts, contextTokens);
      const honest = (await cut(texts)).map((parts) => {
        const drawn = parts.map(({ text, tokens }) => ({
          vector: draw(`${model.id}\n${prompts[purpose]}${text}`, dimension),
          tokens,
        }));
        const [first] = drawn;
        return first !== undefined && drawn.length === 1 ? first.vector : mergeParts(drawn);
      });
      const answer = await options.answer?.(texts, honest, signal);
      signal.throwIfAborted();
      const vectors = checkAnswer(answer ?? honest, texts.length, dimension);
      return { vectors, tokens: counts.reduce((sum, count) => sum + count, 0) };
    },
    check: async (signal) => signal.throwIfAborted(),
    close: async () => {},
  };
}

function checkLengths(counts: readonly number[], contextTokens: number): void {
  const index = counts.findIndex((count) => count > contextTokens);
  if (index === -1) return;
  throw new Fault(
    "embed.too-long",
    `Text ${index + 1} of ${counts.length} has ${counts[index]} tokens, the model reads ${contextTokens}. ` +
      "Lower `chunker.max_tokens`.",
    { retry: counts.length > 1 ? "smaller" : "never" },
  );
}

function checkAnswer(
  vectors: readonly Float32Array[],
  count: number,
  dimension: number,
): readonly Float32Array[] {
  if (vectors.length !== count) {
    throw new Fault(
      "embed.invalid",
      `The fake embedder got ${vectors.length} vectors, expected ${count}.`,
    );
  }
  for (const vector of vectors) {
    if (vector.length !== dimension) {
      throw new Fault(
        "embed.invalid",
        `The fake embedder got a vector of ${vector.length} numbers, expected ${dimension}.`,
      );
    }
    if (!vector.every((number) => Number.isFinite(number))) {
      throw new Fault("embed.invalid", "The fake embedder got a number that is not finite.");
    }
    if (vector.every((number) => number === 0)) {
      const retry = count > 1 ? "smaller" : "never";
      throw new Fault("embed.zero", "The fake embedder got a vector of zeros.", { retry });
    }
  }
  return vectors;
}

function draw(seed: string, dimension: number): Float32Array {
  const vector = new Float32Array(dimension);
  for (let start = 0; start < dimension; start += 8) {
    const bytes = createHash("sha256").update(`${start}\n${seed}`).digest();
    for (let index = start; index < Math.min(start + 8, dimension); index += 1) {
      vector[index] = bytes.readInt32LE((index - start) * 4) / 2 ** 31;
    }
  }
  return vector;
}
