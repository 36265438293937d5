import type { Embedder, EmbeddingCache, Tokenizer } from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import {
  cacheLaws,
  embedderLaws,
  tokenizerLaws,
  type FakeCacheFile,
} from "../../../../src/testkit/index.ts";
import { fakeCacheHarness, fakeEmbedderHarness, fakeTokenizerHarness } from "../fake-harnesses.ts";
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

type MutateTokenizer = (tokenizer: Tokenizer) => Tokenizer;

export const tokenizerMutants = mutantsOf(
  "a tokenizer that",
  (mutate: MutateTokenizer) => tokenizerLaws(fakeTokenizerHarness(mutate)),
  [
    [
      "estimates its counts",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        countBatch: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
      }),
    ],
    [
      "leaves the end of a text out of its borders",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        pieces: async (texts) =>
          (await tokenizer.pieces(texts)).map(({ ends, counts }) => ({
            ends: ends.slice(0, -1),
            counts: counts.slice(0, -1),
          })),
      }),
    ],
    [
      "gives its borders in code points",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        pieces: async (texts) =>
          (await tokenizer.pieces(texts)).map(({ ends, counts }, index) => ({
            ends: ends.map((end) => [...(texts[index] ?? "").slice(0, end)].length),
            counts,
          })),
      }),
    ],
  ],
);

type MutateCache = (cache: EmbeddingCache, file: FakeCacheFile) => EmbeddingCache;

const given = "gives back each vector under its key, bit by bit";

export const cacheMutants = mutantsOf(
  "a cache that",
  (mutate: MutateCache) => cacheLaws(fakeCacheHarness(mutate)),
  [
    [
      "gives another text's vector",
      given,
      (cache) => ({
        ...cache,
        async get(keys, dimension) {
          const found = [...(await cache.get(keys, dimension))];
          return new Map(
            found.map(([key], index) => [
              key,
              found[(index + 1) % found.length]?.[1] ?? new Float32Array(),
            ]),
          );
        },
      }),
    ],
    [
      "knows only the first eight digits of a key",
      "gives nothing for keys that it does not know",
      (cache) => {
        const short = (key: string): string => key.slice(0, 8);
        return {
          ...cache,
          put: (entries) =>
            cache.put(new Map([...entries].map(([key, vector]) => [short(key), vector]))),
          async get(keys, dimension) {
            const found = await cache.get(keys.map(short), dimension);
            return new Map(
              keys.flatMap((key) => {
                const vector = found.get(short(key));
                return vector === undefined ? [] : [[key, vector] as const];
              }),
            );
          },
        };
      },
    ],
    [
      "pads a vector of another length",
      "drops a vector of another length than asked for",
      (cache, file) => ({
        ...cache,
        async get(keys, dimension) {
          const found = new Map<string, Float32Array>();
          for (const key of keys) {
            const bytes = file.get(key);
            const padded = new Uint8Array(dimension * 4);
            if (bytes === undefined) continue;
            padded.set(bytes.subarray(0, dimension * 4));
            found.set(key, new Float32Array(padded.buffer));
          }
          return found;
        },
      }),
    ],
    [
      "gives what is not a number",
      "never gives a vector that holds NaN",
      (cache, file) => ({
        ...cache,
        async get(keys) {
          return new Map(
            keys.flatMap((key) => {
              const bytes = file.get(key);
              return bytes ? [[key, new Float32Array(Uint8Array.from(bytes).buffer)] as const] : [];
            }),
          );
        },
      }),
    ],
    [
      "looks up only the first 500 keys",
      given,
      (cache) => ({
        ...cache,
        get: (keys, dimension) => cache.get(keys.slice(0, 500), dimension),
      }),
    ],
    [
      "keeps what it is given, not a copy",
      "keeps its own copy of what is put and gives copies",
      (cache) => {
        const kept = new Map<string, Float32Array>();
        return {
          ...cache,
          async put(entries) {
            for (const [key, vector] of entries) kept.set(key, vector);
          },
          get: async (keys) =>
            new Map(
              keys.flatMap((key) => {
                const vector = kept.get(key);
                return vector ? [[key, vector] as const] : [];
              }),
            ),
        };
      },
    ],
    [
      "writes the whole buffer behind a view",
      "keeps its own copy of what is put and gives copies",
      (cache) => ({
        ...cache,
        put: (entries) =>
          cache.put(
            new Map([...entries].map(([key, vector]) => [key, new Float32Array(vector.buffer)])),
          ),
      }),
    ],
    [
      "grows without a bound",
      "holds no more bytes than its bound, and forgets the least recently used first",
      (cache, file) => ({
        ...cache,
        async put(entries) {
          const before = new Map(file);
          await cache.put(entries);
          for (const [key, bytes] of before) if (!file.has(key)) file.set(key, bytes);
        },
      }),
    ],
    [
      "forgets the oldest, also when it is in use",
      "holds no more bytes than its bound, and forgets the least recently used first",
      (cache, file) => ({
        ...cache,
        async get(keys, dimension) {
          const order = [...file.keys()];
          const found = await cache.get(keys, dimension);
          const now = new Map(file);
          file.clear();
          for (const key of order) {
            const bytes = now.get(key);
            if (bytes !== undefined) file.set(key, bytes);
          }
          return found;
        },
      }),
    ],
    [
      "loses what it had not flushed when the process dies",
      "still has every vector after a close and after a crash",
      (cache) => {
        let kept = new Map<string, Float32Array>();
        return {
          ...cache,
          async put(entries) {
            kept = new Map([...kept, ...entries]);
          },
          async get(keys, dimension) {
            const flushed = await cache.get(keys, dimension);
            for (const key of keys) {
              const vector = kept.get(key);
              if (vector !== undefined) flushed.set(key, vector);
            }
            return flushed;
          },
          close: () => cache.put(kept),
        };
      },
    ],
    [
      "clears only its counts",
      "counts its entries, and has none after it was cleared",
      (cache) => ({ ...cache, clear: async () => {} }),
    ],
  ],
);
