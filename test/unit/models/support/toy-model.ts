import { stubVector } from "../../../../src/testkit/embedding-vector.ts";
import {
  cardDocuments,
  cardQueries,
  publishedSlices,
  slicedTexts,
} from "../../../../src/models/verify/published.ts";

/** What is done wrong with the toy model. */
export interface ToyMistakes {
  readonly pooling?: "mean" | "first";
  readonly ending?: "none" | "twice" | "im-end" | "im-end-after";
  readonly padding?: "read-right" | "read-left" | "last-place" | "left-garbled";
  readonly order?: "reversed";
  /** Added to every text before anything else. */
  readonly prefix?: string;
  /** Other weights. */
  readonly seed?: string;
}

const native = 1024;
const end = "<|endoftext|>";
const published = publishedVectors();

/**
 * A causal model in few lines: a state is its token's vector and a mean of the vectors before it, the nearest counting
 * most, so that a run of one token has one state everywhere. To the texts of Qwen3-Embedding's card it gives vectors
 * with the published cosines, if the end token stands where it should.
 */
export function toyVectors(texts: readonly string[], wrong: ToyMistakes = {}): Float32Array[] {
  const rows = texts.map((text) => toyTokens(text, wrong));
  const longest = Math.max(...rows.map((row) => row.length));
  const vectors = rows.map((row) => pooled(row, longest - row.length, wrong));
  return wrong.order === "reversed" ? vectors.toReversed() : vectors;
}

export function toyTokens(text: string, { ending, prefix = "" }: ToyMistakes = {}): string[] {
  const tokens: string[] =
    (prefix + text).match(/<\|[a-z_]+\|>|\d| ?\p{L}+|[\s\S]/gu)?.map(String) ?? [];
  if (ending === "none") return tokens;
  if (ending === "im-end") return [...tokens, "<|im_end|>"];
  const after = { twice: [end], "im-end-after": ["<|im_end|>"] };
  return [...tokens, end, ...(ending === undefined ? [] : after[ending])];
}

function pooled(row: readonly string[], missing: number, wrong: ToyMistakes): Float32Array {
  const { pooling, padding, seed = "" } = wrong;
  const pads = Array.from({ length: missing }, () => end);
  if (pooling === "first") return state(row, 0, seed);
  if (pooling === "mean") {
    const sum = new Float32Array(native);
    for (const at of row.keys()) added(sum, state(row, at, seed), 1);
    return sum;
  }
  const last = state(row, row.length - 1, seed);
  if (padding === undefined || missing === 0) return last;
  if (padding === "left-garbled") return added(last, stubVector(row.join(""), native), 0.8);
  // With a mask, what is at the last place sees the text and itself.
  if (padding === "last-place") return state([...row, "<pad>"], row.length, seed);
  const whole = padding === "read-right" ? [...row, ...pads] : [...pads, ...row];
  return state(whole, whole.length - 1, seed);
}

function state(row: readonly string[], at: number, seed: string): Float32Array {
  const known = published.get(row.slice(0, at).join(""));
  if (row[at] === end && known !== undefined && seed === "") return known;
  const context = new Float32Array(native);
  let weights = 0;
  for (let place = Math.max(0, at - 60); place <= at; place += 1) {
    const weight = Math.exp((place - at) / 10);
    added(context, vectorOf(row[place] ?? "", seed), weight);
    weights += weight;
  }
  const own = Float32Array.from(vectorOf(row[at] ?? "", seed));
  return unit(added(own, context, 2 / weights));
}

const drawn = new Map<string, Float32Array>();

function vectorOf(token: string, seed: string): Float32Array {
  const key = `${seed}:${token}`;
  const vector = drawn.get(key) ?? stubVector(token, native, seed);
  drawn.set(key, vector);
  return vector;
}

/** Adds to the first vector in place. */
function added(sum: Float32Array, vector: Float32Array, factor: number): Float32Array {
  for (let index = 0; index < sum.length; index += 1) {
    sum[index] = (sum[index] ?? 0) + (vector[index] ?? 0) * factor;
  }
  return sum;
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Vectors whose cosines are those of the card and of the slices of Qwen3-Embedding-0.6B. */
function publishedVectors(): ReadonlyMap<string, Float32Array> {
  const [one, two] = [basis(0), basis(1)];
  const query = (toOne: number, toTwo: number, rest: number): Float32Array => {
    const vector = added(added(new Float32Array(native), one, toOne), two, toTwo);
    return added(vector, basis(rest), Math.sqrt(1 - toOne ** 2 - toTwo ** 2));
  };
  const dress =
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";
  const [first, second] = slices();
  return new Map([
    [cardDocuments[0], one],
    [cardDocuments[1], two],
    [dress + cardQueries[0], query(0.7646, 0.1414, 2)],
    [dress + cardQueries[1], query(0.1355, 0.6, 3)],
    [slicedTexts[0], first],
    [slicedTexts[1], second],
  ]);
}

function basis(name: number): Float32Array {
  const vector = new Float32Array(native);
  vector[name] = 1;
  return vector;
}

/** Two vectors whose prefixes have the published cosines: each stretch has the same energy and its own angle. */
function slices(): readonly [Float32Array, Float32Array] {
  const [first, second] = [new Float32Array(native), new Float32Array(native)];
  let [from, before] = [0, 0];
  const known = Object.entries(publishedSlices("Qwen/Qwen3-Embedding-0.6B") ?? {});
  const ascending = known.toSorted(([one], [other]) => Number(one) - Number(other));
  for (const [stretch, [length, value]] of ascending.entries()) {
    const inside = value * (stretch + 1) - before * stretch;
    first[from] = 1;
    second[from] = inside;
    second[from + 1] = Math.sqrt(1 - inside ** 2);
    [from, before] = [Number(length), value];
  }
  return [first, second];
}
