import type { EmbeddingCache } from "../contracts/index.ts";
import { isSound } from "./vectors.ts";

/** What a key and its place in the map cost beside the vector, about. */
const overheadBytes = 128;
const bytesPerMb = 1024 * 1024;

/** Keeps vectors as long as the returned object lives. */
export function memoryCache({ maxMb = 256 }: { readonly maxMb?: number } = {}): EmbeddingCache {
  // A map lists its keys in the order of insertion: the least recently used come first.
  const vectors = new Map<string, Float32Array>();
  const probes = new Map<string, string>();
  const maxBytes = maxMb * bytesPerMb;
  let bytes = 0;

  function remove(key: string): void {
    const vector = vectors.get(key);
    if (!vector) return;
    vectors.delete(key);
    bytes -= vector.byteLength + overheadBytes;
  }

  function insert(key: string, vector: Float32Array): void {
    remove(key);
    vectors.set(key, vector);
    bytes += vector.byteLength + overheadBytes;
  }

  return {
    async get(keys, dimension) {
      const found = new Map<string, Float32Array>();
      for (const key of keys) {
        const vector = vectors.get(key);
        if (!vector) continue;
        if (vector.length === dimension) {
          insert(key, vector);
          found.set(key, vector.slice());
        } else remove(key);
      }
      return found;
    },
    async put(entries) {
      for (const [key, vector] of entries) if (isSound(vector)) insert(key, vector.slice());
      for (const key of vectors.keys()) {
        if (bytes <= maxBytes) break;
        remove(key);
      }
    },
    async probe(space) {
      return probes.get(space);
    },
    async keepProbe(space, probe) {
      const kept = probes.get(space) ?? probe;
      probes.set(space, kept);
      return kept;
    },
    async stats() {
      return { entries: vectors.size, bytes, maxBytes };
    },
    async clear() {
      vectors.clear();
      probes.clear();
      bytes = 0;
    },
    async close() {},
  };
}
