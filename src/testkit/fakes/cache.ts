import type { EmbeddingCache } from "../../contracts/index.ts";

/**
 * What a fake cache has kept; outlives the cache, as a file would. Vectors from least to most recently used, and probes
 * under the names of their spaces.
 */
export type FakeCacheFile = Map<string, Uint8Array>;

const probePrefix = "probe:";

export interface FakeCacheOptions {
  /** Where vectors are kept; a new map when left out. */
  readonly file?: FakeCacheFile;
  /** The bound; 1 MB when left out. */
  readonly maxBytes?: number;
}

/** A cache of vectors in memory. */
export function createFakeCache(options: FakeCacheOptions = {}): EmbeddingCache {
  const file = options.file ?? new Map<string, Uint8Array>();
  const maxBytes = options.maxBytes ?? 1024 * 1024;
  return {
    async get(keys, dimension) {
      const found = new Map<string, Float32Array>();
      for (const key of keys) {
        const bytes = file.get(key);
        if (bytes === undefined) continue;
        file.delete(key);
        if (!isVector(bytes, dimension)) continue;
        file.set(key, bytes);
        found.set(key, toVector(bytes));
      }
      return found;
    },
    async put(entries) {
      for (const [key, vector] of entries) {
        file.delete(key);
        file.set(
          key,
          Uint8Array.from(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)),
        );
      }
      shrink(file, maxBytes);
    },
    async probe(space) {
      const bytes = file.get(probePrefix + space);
      return bytes && new TextDecoder().decode(bytes);
    },
    async keepProbe(space, probe) {
      const key = probePrefix + space;
      const kept = file.get(key) ?? new TextEncoder().encode(probe);
      file.set(key, kept);
      return new TextDecoder().decode(kept);
    },
    async stats() {
      const vectors = [...file.keys()].filter(isVectorKey);
      return { entries: vectors.length, bytes: bytesOf(file), maxBytes };
    },
    clear: async () => file.clear(),
    close: async () => {},
  };
}

function toVector(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

function isVector(bytes: Uint8Array, dimension: number): boolean {
  if (bytes.length !== dimension * 4) return false;
  const vector = toVector(bytes);
  return vector.every((number) => Number.isFinite(number)) && vector.some((number) => number !== 0);
}

function bytesOf(file: FakeCacheFile): number {
  let sum = 0;
  for (const [key, bytes] of file) if (isVectorKey(key)) sum += bytes.length;
  return sum;
}

function isVectorKey(key: string): boolean {
  return !key.startsWith(probePrefix);
}

function shrink(file: FakeCacheFile, maxBytes: number): void {
  let bytes = bytesOf(file);
  for (const [key, entry] of file) {
    if (bytes <= maxBytes) return;
    if (!isVectorKey(key)) continue;
    bytes -= entry.length;
    file.delete(key);
  }
}
