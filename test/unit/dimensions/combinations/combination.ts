import * as fc from "fast-check";
import type { Metric } from "../../../../src/contracts/index.ts";
import type { Store } from "./store.ts";

/** A model as far as dimensions are concerned. */
export interface ModelCase {
  readonly id: string;
  readonly native: number;
  readonly min: number;
  readonly matryoshka: boolean;
  /** Put before documents; another one makes another space. */
  readonly prompt: string;
  /** The weights: others give other vectors, whatever the model calls itself. */
  readonly weights: string;
}

/**
 * What happened to a collection before: made and left empty, filled by another pipeline with this model, with another
 * one, with another prompt, with other weights under the same name, or filled by nobody known.
 */
export type History = "empty" | "own" | "other-model" | "other-prompt" | "swapped" | "nobodys";

export interface SinkCase {
  readonly store: Store;
  readonly configured: "auto" | number;
  readonly metric: Metric;
  /** Undefined when there is no collection. */
  readonly live:
    | { readonly dimension: number; readonly history: History; readonly shape: string }
    | undefined;
}

/** One pipeline before what it finds. */
export interface Combination {
  readonly model: ModelCase;
  readonly sinks: readonly SinkCase[];
}

const lengths = [2, 4, 8, 12, 16, 24, 32, 64];

/** What could be set up; what cannot is bent to what can. */
export function combinations(
  stores: readonly Store[],
  maxSinks: number,
): fc.Arbitrary<Combination> {
  const length = fc.constantFrom(...lengths);
  const model = fc
    .record({
      native: fc.constantFrom(16, 32, 64),
      min: fc.constantFrom(2, 4, 8, 16),
      matryoshka: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    })
    .map((part): ModelCase => {
      const min = part.matryoshka ? part.min : part.native;
      return { ...part, min, id: "model", prompt: "", weights: "first" };
    });
  const histories: fc.Arbitrary<History> = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<History>("empty", "own") },
    fc.constantFrom<History>("other-model", "other-prompt", "swapped", "nobodys"),
  );
  const live = fc.record({
    dimension: length,
    history: histories,
    // Mostly what sluice makes.
    shape: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(20)),
  });
  const sink = fc.record({
    store: fc.constantFrom(...stores),
    configured: fc.oneof(
      { weight: 4, arbitrary: fc.constant<"auto" | "same">("auto") },
      { weight: 3, arbitrary: fc.constant<"auto" | "same">("same") },
      length,
    ),
    metric: fc.constantFrom<Metric>("cosine", "dot", "euclidean"),
    live: fc.option(live, { nil: undefined, freq: 4 }),
  });
  return fc
    .record({ model, sinks: fc.array(sink, { minLength: 1, maxLength: maxSinks }) })
    .map((drawn) => ({
      model: drawn.model,
      sinks: drawn.sinks.map(({ store, configured, metric, live: found }): SinkCase => {
        const there = found && bend(store, drawn.model, found);
        const same = there?.dimension ?? "auto";
        return {
          store,
          metric,
          configured: configured === "same" ? same : configured,
          live: there,
        };
      }),
    }));
}

function bend(
  store: Store,
  model: ModelCase,
  { dimension, history, shape }: { dimension: number; history: History; shape: number },
): SinkCase["live"] {
  const shapes = [...store.shapes.keys()];
  const name = shapes[shape % shapes.length] ?? "plain";
  // Nothing can have been written by this model at a length that it does not give, nor to what cannot be written.
  const byModel = history === "own" || history === "swapped";
  const isPossible = store.shapes.get(name) === true && (!byModel || gives(model, dimension));
  return { dimension, history: isPossible ? history : "empty", shape: name };
}

export function gives({ native, min, matryoshka }: ModelCase, dimension: number): boolean {
  return dimension === native || (matryoshka && dimension >= min && dimension < native);
}

/** The length of vectors that a sink must get; undefined when it must be refused. Told apart from the code on purpose. */
export function expectedLength(model: ModelCase, sink: SinkCase): number | undefined {
  const { configured, live, store } = sink;
  if (live === undefined) {
    const wanted = configured === "auto" ? model.native : configured;
    return gives(model, wanted) ? wanted : undefined;
  }
  if (store.shapes.get(live.shape) !== true) return undefined;
  if (live.history !== "empty" && live.history !== "own") return undefined;
  if (live.history === "empty" && store.forgetful?.has(live.shape) === true) {
    return configured !== "auto" && gives(model, configured) ? configured : undefined;
  }
  if (configured !== "auto" && configured !== live.dimension) return undefined;
  return gives(model, live.dimension) ? live.dimension : undefined;
}
