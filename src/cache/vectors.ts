import { decodeHalves, encodeHalves, hasHalfLength } from "./halves.ts";

/** How the numbers of vectors are kept: as they are, or in half the room with three digits. */
export type Storage = "float32" | "float16";

/**
 * What an entry turned out to be: a vector, nothing that may be used, or one with fewer digits than this cache keeps,
 * which is good for those who keep no more.
 */
export type Decoded = Float32Array | "broken" | "coarser";

/** Whether a vector may be kept: some numbers, all finite, and not all zero. */
export function isSound(vector: Float32Array): boolean {
  let hasDirection = false;
  for (let index = 0; index < vector.length; index += 1) {
    const value = vector[index];
    if (!Number.isFinite(value)) return false;
    if (value !== 0) hasDirection = true;
  }
  return hasDirection;
}

/**
 * The bytes of a sound vector, in the machine's order; with float32 a view, not a copy. What float16 cannot hold well
 * stays float32.
 */
export function encodeVector(vector: Float32Array, storage: Storage): Uint8Array {
  const halves = storage === "float16" ? encodeHalves(vector) : undefined;
  return halves ?? new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The vector of `dimension` numbers that these bytes hold, whichever storage they were written with. */
export function decodeVector(bytes: Uint8Array, dimension: number, storage: Storage): Decoded {
  const isHalf = hasHalfLength(bytes, dimension);
  const vector = isHalf ? decodeHalves(bytes, dimension) : wholeVector(bytes, dimension);
  if (vector === undefined || !isSound(vector)) return "broken";
  return isHalf && storage === "float32" ? "coarser" : vector;
}

function wholeVector(bytes: Uint8Array, dimension: number): Float32Array | undefined {
  if (bytes.byteLength !== dimension * Float32Array.BYTES_PER_ELEMENT) return undefined;
  // Bytes that are part of a larger answer are copied, or they would keep all of it.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  return new Float32Array(own.buffer, own.byteOffset, dimension);
}
