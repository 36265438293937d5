import { fromFloat16, toFloat16 } from "../records/float16.ts";

/**
 * Stands behind the numbers, so that their length is odd, as that of no float32 vector is: the two cannot be taken for
 * one another, whatever dimension is asked for.
 */
const mark = 0x16;

/** Of the sum of squares, the part that rounding may cost: the cosine is then at least 0.999995. */
const maxErrorShare = 1e-5;
/** Prefixes from this length on are as exact as the whole; models that can be cut are not cut below it. */
const shortestPrefix = 16;

/** Every float16 as a number, made at the first use. */
let numbers: Float32Array | undefined;

function allNumbers(): Float32Array {
  numbers ??= Float32Array.from({ length: 0x10000 }, (_, bits) => fromFloat16(bits));
  return numbers;
}

/**
 * The vector in float16; undefined when it would lose its direction, or a prefix would: numbers beyond 65,504, or so
 * small that few digits are left.
 */
export function encodeHalves(vector: Float32Array): Uint8Array | undefined {
  const { length } = vector;
  const bytes = new Uint8Array(length * 2 + 1);
  const halves = new Uint16Array(bytes.buffer, 0, length);
  const known = allNumbers();
  let squares = 0;
  let errors = 0;
  for (let index = 0; index < length; index += 1) {
    const value = vector[index] ?? 0;
    const half = toFloat16(value);
    const error = (known[half] ?? 0) - value;
    halves[index] = half;
    squares += value * value;
    errors += error * error;
    const counts = index + 1 >= shortestPrefix || index + 1 === length;
    if (counts && errors > squares * maxErrorShare) return undefined;
  }
  bytes[length * 2] = mark;
  return bytes;
}

/** Whether these bytes have the length of `dimension` numbers in float16. */
export function hasHalfLength(bytes: Uint8Array, dimension: number): boolean {
  return bytes.byteLength === dimension * 2 + 1;
}

/** The numbers of bytes that have the right length; undefined when they were not written as float16. */
export function decodeHalves(bytes: Uint8Array, dimension: number): Float32Array | undefined {
  if (bytes[dimension * 2] !== mark) return undefined;
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, dimension);
  const known = allNumbers();
  const vector = new Float32Array(dimension);
  for (let index = 0; index < dimension; index += 1) vector[index] = known[halves[index] ?? 0] ?? 0;
  return vector;
}
