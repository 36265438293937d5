import type { FieldType, Json, VectorRecord } from "../contracts/index.ts";

/** The largest integer of a column with 32 bits. */
export const largestInt32 = 0x7fffffff;

/**
 * Why no store could keep a record, for `recordRejected`; undefined when nothing is wrong with its vector, its numbers
 * and the types of its fields. `largest` is the largest page or position that the store keeps.
 */
export function recordProblem(
  { vector, fields, page, position }: VectorRecord,
  declared: Readonly<Record<string, FieldType>>,
  largest = Number.MAX_SAFE_INTEGER,
): string | undefined {
  if (!hasFiniteNumbers(vector)) return "its vector holds a number that is not finite";
  for (const [name, value] of Object.entries({ page, position })) {
    const isWhole = Number.isInteger(value ?? 0);
    if (value === undefined || (isWhole && value >= 0 && value <= largest)) continue;
    return `\`${name}\` is ${value}, expected a whole number from 0 to ${largest}`;
  }
  for (const [name, value] of Object.entries(fields)) {
    const type = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (type === undefined) return `\`${name}\` is not declared under \`metadata\``;
    if (!hasType[type](value)) return `the value of \`${name}\` is not of type ${type}`;
  }
  return undefined;
}

/** One sum tells of any NaN or infinity; finite float32 cannot overflow it. */
function hasFiniteNumbers(vector: Float32Array): boolean {
  let sum = 0;
  for (const value of vector) sum += value;
  return Number.isFinite(sum);
}

const hasType: Readonly<Record<FieldType, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= 8.64e15,
  string_list: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};
