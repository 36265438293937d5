import type { Embedder } from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import { embedderLaws } from "../../../../src/testkit/index.ts";
import { fakeEmbedderHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateEmbedder = (embedder: Embedder) => Embedder;

/** An embedder whose vectors are changed. */
function withVectors(
  change: (vectors: readonly Float32Array[], texts: readonly string[]) => readonly Float32Array[],
): MutateEmbedder {
  return (embedder) => ({
    ...embedder,
    async embed(texts, purpose, signal) {
      const { vectors } = await embedder.embed(texts, purpose, signal);
      return { vectors: change(vectors, texts) };
    },
  });
}

/** An embedder that answers something when its far end answered nonsense. */
function withExcuse(change: (texts: readonly string[]) => readonly Float32Array[]): MutateEmbedder {
  return (embedder) => ({
    ...embedder,
    async embed(texts, purpose, signal) {
      try {
        return await embedder.embed(texts, purpose, signal);
      } catch (error) {
        if (!isFault(error) || error.code === "embed.too-long") throw error;
        return { vectors: change(texts) };
      }
    },
  });
}

const single = "gives each text of a batch the vector that it has alone";
const shape = "gives one vector of native length for each text as a document";
const honest = (): Float32Array => Float32Array.from({ length: 16 }, () => 0.25);

export const embedderMutants = mutantsOf(
  "an embedder that",
  (mutate: MutateEmbedder) => embedderLaws(fakeEmbedderHarness(mutate)),
  [
    ["gives vectors out of order", single, withVectors((vectors) => vectors.toReversed())],
    [
      "gives vectors in the order of length",
      single,
      withVectors((vectors, texts) =>
        vectors
          .map((vector, index) => ({ vector, length: texts[index]?.length ?? 0 }))
          .toSorted((left, right) => left.length - right.length)
          .map(({ vector }) => vector),
      ),
    ],
    [
      "leaves out one vector",
      shape,
      withVectors((vectors) => (vectors.length > 1 ? vectors.slice(0, -1) : vectors)),
    ],
    [
      "leaves out the texts beyond twenty",
      "embeds as many texts in one call as its limits say, to the last one",
      withVectors((vectors) => vectors.slice(0, 20)),
    ],
    [
      "cuts its vectors",
      shape,
      withVectors((vectors) => vectors.map((vector) => vector.slice(0, 15))),
    ],
    [
      "passes on what is not a number",
      "refuses a vector with a NaN from the far end",
      withExcuse((texts) => texts.map(() => honest().fill(NaN, 3, 4))),
    ],
    [
      "fills in a missing vector with the last",
      "refuses one vector less than texts from the far end",
      withExcuse((texts) => texts.map(honest)),
    ],
    [
      "pads a short vector with zeros",
      "refuses a single vector one number too short from the far end",
      withExcuse((texts) => texts.map(honest)),
    ],
    [
      "invents vectors when it cannot read the answer",
      "refuses something that is no embedding response from the far end",
      withExcuse((texts) => texts.map(honest)),
    ],
    [
      "cuts a text that is too long",
      "rejects a text that is too long and never cuts it",
      (embedder) => ({
        ...embedder,
        embed: (texts, purpose, signal) =>
          embedder.embed(
            texts.map((text) => text.slice(0, 500)),
            purpose,
            signal,
          ),
      }),
    ],
    [
      "embeds queries as documents",
      "dresses queries as its prompts say, and documents not as queries",
      (embedder) => ({
        ...embedder,
        embed: (texts, _purpose, signal) => embedder.embed(texts, "document", signal),
      }),
    ],
    [
      "lets the texts of a batch colour each other",
      single,
      withVectors((vectors) => {
        const [first] = vectors;
        return vectors.map((vector) =>
          vector.map((number, index) => number + 0.2 * (first?.[index] ?? 0)),
        );
      }),
    ],
    [
      "reuses its buffers",
      "gives vectors that do not change with the next call",
      (() => {
        const buffer = new Float32Array(16);
        return withVectors((vectors) =>
          vectors.map((vector, index) => {
            if (index > 0) return vector;
            buffer.set(vector);
            return buffer;
          }),
        );
      })(),
    ],
    [
      "does not hear an abort",
      "ends promptly when a call is aborted on its way",
      (embedder) => ({
        ...embedder,
        embed: (texts, purpose) => embedder.embed(texts, purpose, new AbortController().signal),
      }),
    ],
    [
      "mixes calls made at the same time",
      "keeps calls at the same time apart",
      (embedder) => {
        let last: readonly string[] = [];
        return {
          ...embedder,
          async embed(texts, purpose, signal) {
            last = texts;
            await Promise.resolve();
            return embedder.embed(last, purpose, signal);
          },
        };
      },
    ],
    [
      "tells more parts the longer it runs",
      "tells the same parts for a text whatever came before it",
      (embedder) => {
        if (embedder.parts === undefined) return embedder;
        let more = 0;
        return {
          ...embedder,
          parts: async (texts, signal) =>
            ((await embedder.parts?.(texts, signal)) ?? []).map((count) =>
              count > 1 ? count + more++ : count,
            ),
        };
      },
    ],
    [
      "says of short texts that they are cut",
      "tells one part for every short text",
      (embedder) => ({ ...embedder, parts: async (texts) => texts.map(() => 2) }),
    ],
    [
      "embeds only the first part of a long text",
      "gives a text in parts one vector of native length: the mean of its parts, by tokens",
      (embedder) =>
        embedder.parts === undefined
          ? embedder
          : {
              ...embedder,
              embed: (texts, purpose, signal) =>
                embedder.embed(
                  texts.map((text) => text.slice(0, 200)),
                  purpose,
                  signal,
                ),
            },
    ],
    [
      "cuts short texts, too",
      "gives short texts the vectors that they have where nothing is cut",
      (embedder) =>
        embedder.parts === undefined
          ? embedder
          : {
              ...embedder,
              embed: (texts, purpose, signal) =>
                embedder.embed(
                  texts.map((text) => text.slice(0, -1)),
                  purpose,
                  signal,
                ),
            },
    ],
    [
      "names another native dimension than it gives",
      shape,
      (embedder) => ({
        ...embedder,
        open: async (signal) => {
          const model = await embedder.open(signal);
          return { ...model, dimensions: { ...model.dimensions, native: 32 } };
        },
      }),
    ],
  ],
);
