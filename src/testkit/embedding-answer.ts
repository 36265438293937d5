import type { EmbeddingBehaviour, EmbeddingRequest } from "./embedding-behaviour.ts";
import { drawVector, stubVector } from "./embedding-vector.ts";

/** What the server knows when it makes an answer. */
export interface AnswerContext {
  readonly request: EmbeddingRequest;
  readonly dimension: number;
  /** The names of the texts (`textHash`). */
  readonly hashes: readonly string[];
  readonly tokens: number;
  readonly behaviour: EmbeddingBehaviour | undefined;
}

interface Item {
  readonly object: "embedding";
  readonly index?: number;
  readonly embedding: unknown;
}

/** The JSON text of an answer, honest or as the behaviour bends it. */
export function embeddingAnswer(context: AnswerContext): string {
  const { request, behaviour, tokens } = context;
  const data = bendItems(
    request.texts.map((_, index) => item(context, index)),
    behaviour,
  );
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  const text = JSON.stringify({ object: "list", model: request.model, data, usage });
  return behaviour?.kind === "not-finite" ? text.replace('"¤"', behaviour.number) : text;
}

function item(context: AnswerContext, index: number): Item {
  const { behaviour, request } = context;
  const vector = vectorOf(context, index);
  const numbers =
    request.encoding !== "base64" || behaviour?.kind === "floats" || spoilt(behaviour, index);
  if (!numbers) {
    const embedding = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    return { object: "embedding", index, embedding: embedding.toString("base64") };
  }
  const embedding: unknown[] = [...vector];
  if (spoilt(behaviour, index)) embedding[embedding.length >> 1] = "¤";
  return { object: "embedding", index, embedding };
}

/** Whether this vector is to hold a number that JSON cannot say. */
function spoilt(behaviour: EmbeddingBehaviour | undefined, index: number): boolean {
  return behaviour?.kind === "not-finite" && behaviour.number !== "base64" && index === 0;
}

function vectorOf(context: AnswerContext, index: number): Float32Array {
  const { behaviour, request, hashes } = context;
  const dimension = request.dimensions ?? context.dimension;
  const text = request.texts[index] ?? "";
  if (behaviour?.kind === "zero" && text.includes(behaviour.word ?? "")) {
    return new Float32Array(dimension);
  }
  if (behaviour?.kind === "other-model") return stubVector(text, dimension, "other");
  if (behaviour?.kind === "wrong-length" && (behaviour.only ?? index) === index) {
    return drawVector(hashes[index] ?? "1", behaviour.dimension);
  }
  const vector = drawVector(hashes[index] ?? "1", dimension);
  if (behaviour?.kind === "not-finite" && behaviour.number === "base64") vector[0] = Infinity;
  return vector;
}

function bendItems(
  items: readonly Item[],
  behaviour: EmbeddingBehaviour | undefined,
): readonly Item[] {
  switch (behaviour?.kind) {
    case "too-few":
      return items.slice(0, -1);
    case "too-many":
      return [...items, ...items.slice(0, 1).map((extra) => ({ ...extra, index: items.length }))];
    case "shuffled":
      return items.toReversed();
    case "duplicate-index":
      return items.map((one, index) => ({ ...one, index: Math.max(index, 1) - 1 }));
    case "no-index":
      return items.map(({ object, embedding }) => ({ object, embedding }));
    default:
      return items;
  }
}
