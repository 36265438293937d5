import { hash } from "node:crypto";

/** Names a text: 128 bits as hex. */
export function textHash(text: string): string {
  return hash("sha256", text).slice(0, 32);
}

/**
 * The vector that the stub server gives to a text: drawn from the text's hash, of length 1, the same on every machine.
 * Another `model` gives other vectors.
 */
export function stubVector(text: string, dimension: number, model = ""): Float32Array {
  return drawVector(model === "" ? textHash(text) : textHash(`${model}\0${text}`), dimension);
}

/** The same from a hash that is at hand. */
export function drawVector(name: string, dimension: number): Float32Array {
  let state = Number.parseInt(name.slice(0, 8), 16) | 1;
  const vector = new Float32Array(dimension);
  let squares = 0;
  for (let index = 0; index < dimension; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const number = state / 2_147_483_648;
    vector[index] = number;
    squares += number * number;
  }
  const scale = 1 / Math.sqrt(squares);
  for (let index = 0; index < dimension; index += 1) {
    vector[index] = Math.fround((vector[index] ?? 0) * scale);
  }
  return vector;
}
