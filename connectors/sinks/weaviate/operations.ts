import type { FieldType, VectorRecord, WriteOperation } from "../../../src/contracts/index.ts";
import { recordProblem } from "../../../src/records/check-record.ts";
import { type Batch, sortOperations } from "../../../src/records/sort-operations.ts";
import { weigh } from "../../../src/records/weigh.ts";
import { isStorableTime } from "./times.ts";

export interface BatchOptions {
  readonly dimension: number;
  readonly declared: Readonly<Record<string, FieldType>>;
  /** Fields of times that live as a native date, which has a narrower range. */
  readonly dateFields: ReadonlySet<string>;
  /** For messages. */
  readonly shown: string;
}

/** Sorts and checks the operations of one write, before anything leaves. */
export function prepare(operations: readonly WriteOperation[], options: BatchOptions): Batch {
  const { dimension, shown: address } = options;
  const batch = sortOperations(operations, {
    dimension,
    address,
    problemOf: (record) => problemOf(record, options),
  });
  // An object has no other id, so there is nothing to delete.
  return { ...batch, deletes: batch.deletes.filter((id) => isUuid(id)) };
}

/** What Weaviate takes as an id. */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

function problemOf(record: VectorRecord, options: BatchOptions): string | undefined {
  if (!isUuid(record.id)) return "its id is not a UUID in lower case";
  return recordProblem(record, options.declared) ?? timeProblem(record, options);
}

function timeProblem({ fields }: VectorRecord, options: BatchOptions): string | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (!options.dateFields.has(name) || isStorableTime(Number(value))) continue;
    return (
      `the time \`${name}\` is outside the years 1678 to 2261, which are all that Weaviate's dates can compare. Map ` +
      `it with \`fields\` to a property of type int, or declare it as an integer`
    );
  }
  return undefined;
}

/** Bytes that an operation weighs on the wire; an upper estimate. */
export function sizeOf(operation: WriteOperation): number {
  if (operation.kind === "delete") return weigh(operation);
  // Names of properties and of the collection, and what stands before each value.
  const names = 24 * (Object.keys(operation.record.fields).length + 16);
  return weigh(operation) + names + 480;
}
