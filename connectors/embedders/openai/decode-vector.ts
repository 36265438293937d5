import { endianness } from "node:os";

const littleEndian = endianness() === "LE";

/**
 * Decodes a vector as servers send it: base64 of little-endian float32 numbers, or a list of numbers. Undefined when
 * it is neither, whole and nothing else.
 */
export function decodeVector(value: unknown): Float32Array | undefined {
  if (typeof value === "string") return decodeBase64(value);
  return Array.isArray(value) ? decodeList(value) : undefined;
}

function decodeBase64(text: string): Float32Array | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Math.floor(((text.length - padding) * 3) / 4);
  if (bytes === 0 || bytes % 4 !== 0) return undefined;
  const vector = new Float32Array(bytes / 4);
  // Written in place: a decoded Buffer may lie unaligned in a pool. Characters that are not base64 make it short.
  const target = Buffer.from(vector.buffer);
  if (target.write(text, "base64") !== bytes) return undefined;
  if (!littleEndian) target.swap32();
  return vector;
}

function decodeList(list: readonly unknown[]): Float32Array | undefined {
  if (list.length === 0) return undefined;
  const vector = new Float32Array(list.length);
  for (let index = 0; index < list.length; index += 1) {
    const number = list[index];
    if (typeof number !== "number") return undefined;
    vector[index] = number;
  }
  return vector;
}
