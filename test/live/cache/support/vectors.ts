import { createHash } from "node:crypto";

export const dimension = 64;

export function keyOf(number: number): string {
  return createHash("sha256").update(`text ${number}`).digest("hex");
}

export function vectorOf(number: number): Float32Array {
  return Float32Array.from({ length: dimension }, (_, index) => Math.sin(number * 31 + index + 1));
}

/** Entries for the numbers from `start`. */
export function entriesFrom(start: number, count: number): Map<string, Float32Array> {
  const numbers = Array.from({ length: count }, (_, index) => start + index);
  return new Map(numbers.map((number) => [keyOf(number), vectorOf(number)]));
}
