import type {
  FaultLike,
  FieldType,
  Json,
  VectorRecord,
  WriteOperation,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { isStorableTime } from "./times.ts";

/** The operations of one write, ready to be sent: one for each id. */
export interface Batch {
  readonly upserts: readonly VectorRecord[];
  readonly deletes: readonly string[];
  /** Records that cannot be stored, by id. */
  readonly failed: ReadonlyMap<string, FaultLike>;
}

/** Fields of times that live as a native date, which has a narrower range. */
export interface BatchOptions {
  readonly dimension: number;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly dateFields: ReadonlySet<string>;
  /** For messages. */
  readonly shown: string;
}

/**
 * Sorts the operations and checks every record, before anything leaves. A vector of another length refuses the whole
 * write: an empty collection or tenant of Weaviate would take any length. The last operation on an id counts.
 */
export function prepare(operations: readonly WriteOperation[], options: BatchOptions): Batch {
  const byId = new Map<string, WriteOperation>();
  for (const operation of operations) {
    if (operation.kind === "upsert") checkLength(operation.record, options);
    byId.set(operation.kind === "upsert" ? operation.record.id : operation.id, operation);
  }
  const upserts: VectorRecord[] = [];
  const deletes: string[] = [];
  const failed = new Map<string, FaultLike>();
  for (const [id, operation] of byId) {
    if (operation.kind === "delete") {
      // An object has no other id, so there is nothing to delete.
      if (isUuid(id)) deletes.push(id);
      continue;
    }
    const problem = problemOf(operation.record, options);
    if (problem === undefined) upserts.push(operation.record);
    else failed.set(id, rejected(operation.record, problem));
  }
  return { upserts, deletes, failed };
}

/** What Weaviate takes as an id. */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

function checkLength({ id, vector }: VectorRecord, { dimension, shown }: BatchOptions): void {
  if (vector.length === dimension) return;
  throw new Fault(
    "sink.dimension",
    `The vector of record \`${id}\` has ${vector.length} numbers, the collection ${shown} takes ${dimension}. Nothing ` +
      "of this write was sent.",
  );
}

function rejected({ id, document }: VectorRecord, problem: string): Fault {
  return new Fault(
    "sink.rejected",
    `Record \`${id}\` of document \`${document}\` cannot be stored: ${problem}.`,
    { retry: "never" },
  );
}

function problemOf(record: VectorRecord, options: BatchOptions): string | undefined {
  if (!isUuid(record.id)) return "its id is not a UUID in lower case";
  // One sum tells of any NaN or infinity; finite float32 cannot overflow it. The server would store them.
  let sum = 0;
  for (const value of record.vector) sum += value;
  if (!Number.isFinite(sum)) return "its vector holds a number that is not finite";
  for (const name of ["page", "position"] as const) {
    const value = record[name];
    if (value !== undefined && !isWholeNumber(value)) {
      return `\`${name}\` is ${value}, expected a whole number from 0`;
    }
  }
  for (const [name, value] of Object.entries(record.fields)) {
    const type = options.declared[name];
    if (type === undefined) return `\`${name}\` is not declared under \`metadata\``;
    if (!hasType[type](value)) return `the value of \`${name}\` is not of type ${type}`;
    if (options.dateFields.has(name) && !isStorableTime(Number(value))) {
      return (
        `the time \`${name}\` is outside the years 1678 to 2261, which are all that Weaviate's dates can compare. Map ` +
        `it with \`fields\` to a property of type int, or declare it as an integer`
      );
    }
  }
  return undefined;
}

function isWholeNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

const hasType: Readonly<Record<FieldType, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= 8.64e15,
  string_list: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

/** Bytes that an operation weighs on the wire; an upper estimate, three bytes for each UTF-16 unit. */
export function sizeOf(operation: WriteOperation): number {
  if (operation.kind === "delete") return 64;
  const { vector, text, headings, fields, metadata, ...rest } = operation.record;
  let units = text.length + JSON.stringify(metadata).length + JSON.stringify(fields).length;
  for (const heading of headings) units += heading.length + 2;
  for (const value of Object.values(rest)) units += typeof value === "string" ? value.length : 9;
  // Names of properties and of the collection, and what stands before each value.
  const names = 24 * (Object.keys(fields).length + 16);
  return vector.byteLength + units * 3 + names + 512;
}
