import type { Embeddings } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { decodeVector } from "./decode-vector.ts";

/** What an answer brings. */
export interface Answer extends Embeddings {
  /** The model's name as the server gives it. */
  readonly model?: string;
}

export interface Expected {
  /** The server's address for messages. */
  readonly shown: string;
  /** How many vectors. */
  readonly texts: number;
  /** The length of each; unknown before the first answer of an unknown model. */
  readonly dimension: number | undefined;
}

/** Room for everything around the vectors. */
const frameBytes = 65_536;
/** Numbers written out in full, with white space of a pretty printer. */
const bytesPerNumber = 40;
const bytesPerVector = 1_024;
/** No model has longer vectors. */
const largestDimension = 65_536;

/** The size that an honest answer cannot exceed. */
export function largestAnswer(texts: number, dimension: number | undefined): number {
  const perVector = (dimension ?? largestDimension) * bytesPerNumber + bytesPerVector;
  return frameBytes + texts * perVector;
}

/** The part of the answer that says what went wrong, when a server hides an error behind status 200. */
export function hiddenError(body: unknown): { readonly status: number } | undefined {
  if (!isObject(body) || "data" in body || !isObject(body.error)) return undefined;
  const status = Number(body.error.code ?? body.error.status);
  return { status: Number.isInteger(status) && status >= 400 && status < 600 ? status : 500 };
}

/** Reads JSON. The parser's own message is left out: it quotes the body. */
export function parseBody(text: string, { shown }: Expected): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const start = text.slice(0, 1_000).trimStart();
    if (start.startsWith("<")) {
      throw invalid(
        shown,
        "gave a web page instead of vectors. Check `url` (it usually ends in `/v1`).",
      );
    }
    const cut = /^[{[]/.test(start) && !text.trimEnd().endsWith("}");
    if (!cut) throw invalid(shown, "gave an answer that is not JSON.");
    throw invalid(shown, "gave an answer that was cut off.", "later");
  }
}

/** Takes the vectors out of an answer, in the order of the texts, each checked. */
export function readAnswer(body: unknown, expected: Expected): Answer {
  const { shown, texts } = expected;
  if (!isObject(body) || !Array.isArray(body.data)) {
    throw invalid(shown, "gave JSON without a `data` list.");
  }
  const items: readonly unknown[] = body.data;
  if (items.length !== texts) {
    const counts = `${items.length} instead of ${texts}`;
    throw invalid(shown, `gave another number of vectors than texts: ${counts}. Check \`model\`.`);
  }
  const vectors = Array.from<Float32Array | undefined>({ length: texts });
  let dimension = expected.dimension;
  for (const item of items) {
    const index = indexOf(item, texts, shown);
    if (vectors[index] !== undefined) throw invalid(shown, `gave two vectors for text ${index}.`);
    const vector = vectorOf(item, index, dimension, shown);
    dimension ??= vector.length;
    vectors[index] = vector;
  }
  const tokens = tokensOf(body.usage);
  // Equal count and no index twice: none is missing.
  const complete = vectors.filter((vector) => vector !== undefined);
  refuseZeros(complete, shown);
  return {
    vectors: complete,
    ...(tokens === undefined ? {} : { tokens }),
    ...(isName(body.model) ? { model: body.model } : {}),
  };
}

function indexOf(item: unknown, texts: number, shown: string): number {
  const index = isObject(item) ? item.index : undefined;
  if (typeof index === "number" && Number.isInteger(index) && index >= 0 && index < texts) {
    return index;
  }
  throw invalid(shown, `gave a vector whose \`index\` is not one of the ${texts} texts.`);
}

function vectorOf(
  item: unknown,
  index: number,
  dimension: number | undefined,
  shown: string,
): Float32Array {
  const vector = decodeVector(isObject(item) ? item.embedding : undefined);
  if (vector === undefined) {
    throw invalid(shown, `gave something for text ${index} that is not a vector.`);
  }
  if (dimension !== undefined && vector.length !== dimension) {
    throw invalid(
      shown,
      `gave a vector of ${vector.length} numbers where ${dimension} are expected. ` +
        "Check `model`, `dimensions` and `native_dimension`.",
    );
  }
  if (!allFinite(vector)) {
    throw invalid(shown, `gave a vector for text ${index} that is not finite.`);
  }
  return vector;
}

function allFinite(vector: Float32Array): boolean {
  // A sum of float32 numbers cannot overflow a double; it is NaN or infinite when one of them is.
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) sum += vector[index] ?? Number.NaN;
  return Number.isFinite(sum);
}

function refuseZeros(vectors: readonly Float32Array[], shown: string): void {
  const count = vectors.filter((vector) => vector.every((number) => number === 0)).length;
  if (count === 0) return;
  throw new Fault(
    "embed.zero",
    `The embedding server at \`${shown}\` gave vectors of nothing but zeros for ${count} of ${vectors.length} texts. ` +
      "Check the text and the model.",
    { retry: vectors.length === 1 ? "never" : "smaller" },
  );
}

function tokensOf(usage: unknown): number | undefined {
  if (!isObject(usage)) return undefined;
  const tokens = usage.prompt_tokens ?? usage.total_tokens;
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0
    ? tokens
    : undefined;
}

function invalid(shown: string, what: string, retry: "never" | "later" = "never"): Fault {
  return new Fault("embed.invalid", `The embedding server at \`${shown}\` ${what}`, { retry });
}

/** It is shown when it changes. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 300;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
