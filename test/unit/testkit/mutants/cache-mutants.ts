import type { EmbeddingCache } from "../../../../src/contracts/index.ts";
import { cacheLaws, type FakeCacheFile } from "../../../../src/testkit/index.ts";
import { fakeCacheHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

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
      "keeps the last probe",
      "keeps the first probe of each space, whatever it forgets",
      (cache, file) => ({
        ...cache,
        keepProbe(space, probe) {
          file.delete(`probe:${space}`);
          return cache.keepProbe(space, probe);
        },
      }),
    ],
    [
      "forgets probes with the vectors",
      "keeps the first probe of each space, whatever it forgets",
      (cache, file) => ({
        ...cache,
        async put(entries) {
          await cache.put(entries);
          for (const key of file.keys()) if (key.startsWith("probe:")) file.delete(key);
        },
      }),
    ],
    [
      "knows only the first eight digits of a key",
      "gives nothing for keys that it does not know",
      (cache) => {
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
      "gives what points nowhere",
      "never gives a vector without a direction",
      (cache, file) => ({
        ...cache,
        async get(keys, dimension) {
          const known = keys.filter((key) => file.has(key));
          const found = await cache.get(keys, dimension);
          for (const key of known) {
            if (!found.has(key)) found.set(key, new Float32Array(dimension));
          }
          return found;
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

function short(key: string): string {
  return key.slice(0, 8);
}
