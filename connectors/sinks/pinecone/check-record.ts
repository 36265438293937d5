import type { FieldType, VectorRecord } from "../../../src/contracts/index.ts";
import { recordProblem } from "../../../src/records/check-record.ts";
import { serviceLimits } from "./limits.ts";

/** Why a record cannot be stored, whatever its size; undefined when it can. */
export function problemOf(
  record: VectorRecord,
  declared: Readonly<Record<string, FieldType>>,
): string | undefined {
  return idProblem(record.id) ?? recordProblem(record, declared) ?? zerosProblem(record.vector);
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

function zerosProblem(vector: Float32Array): string | undefined {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  return largest < serviceLimits.smallestValue ? "its vector is all zeros" : undefined;
}
