import type { FieldType, Json, VectorRecord } from "../../../src/contracts/index.ts";
import { serviceLimits } from "./limits.ts";

/** Why a record cannot be stored, whatever its size; undefined when it can. */
export function problemOf(
  record: VectorRecord,
  declared: Readonly<Record<string, FieldType>>,
): string | undefined {
  return idProblem(record.id) ?? vectorProblem(record.vector) ?? fieldProblem(record, declared);
}

/** Whether the service takes this id. Of any other it has no record, and would refuse whole requests. */
export function isStorableId(id: string): boolean {
  return idProblem(id) === undefined;
}

function idProblem(id: string): string | undefined {
  const isAscii = Buffer.byteLength(id) === id.length && !id.includes("\0");
  if (isAscii && id !== "" && id.length <= serviceLimits.idLength) return undefined;
  return `Pinecone takes ids of 1 to ${serviceLimits.idLength} ASCII characters`;
}

function vectorProblem(vector: Float32Array): string | undefined {
  // One sum tells of any NaN or infinity; finite float32 cannot overflow it.
  let sum = 0;
  let largest = 0;
  for (let index = 0; index < vector.length; index += 1) {
    const value = vector[index] ?? 0;
    sum += value;
    largest = Math.max(largest, Math.abs(value));
  }
  if (!Number.isFinite(sum)) return "its vector holds a number that is not finite";
  if (largest < serviceLimits.smallestValue) return "its vector is all zeros";
  return undefined;
}

function fieldProblem(
  { fields, page, position }: VectorRecord,
  declared: Readonly<Record<string, FieldType>>,
): string | undefined {
  for (const [name, value] of Object.entries({ page, position })) {
    if (value !== undefined && !Number.isFinite(value)) return `\`${name}\` is not a number`;
  }
  for (const [name, value] of Object.entries(fields)) {
    const type = declared[name];
    if (type === undefined) return `\`${name}\` is not declared under \`metadata\``;
    if (!hasType[type](value)) return `the value of \`${name}\` is not of type ${type}`;
  }
  return undefined;
}

const hasType: Readonly<Record<FieldType, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => Number.isSafeInteger(value),
  string_list: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};
