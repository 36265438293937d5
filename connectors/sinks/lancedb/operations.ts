import type {
  FaultLike,
  FieldType,
  Json,
  VectorRecord,
  WriteOperation,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";

/** The operations of one write, ready to be sent: one for each id. */
export interface Batch {
  readonly upserts: readonly VectorRecord[];
  readonly deletes: readonly string[];
  /** Records that cannot be stored, by id. */
  readonly failed: ReadonlyMap<string, FaultLike>;
}

/**
 * Sorts the operations and checks every record, before anything leaves. A vector of another length refuses the whole
 * write: LanceDB itself would pad or cut rows that are given as objects, without a word. The last operation on an id
 * counts; of ids given twice LanceDB would insert both.
 */
export function prepare(
  operations: readonly WriteOperation[],
  dimension: number,
  declared: Readonly<Record<string, FieldType>>,
  address: string,
): Batch {
  const byId = new Map<string, WriteOperation>();
  for (const operation of operations) {
    if (operation.kind === "upsert") checkLength(operation.record, dimension, address);
    byId.set(operation.kind === "upsert" ? operation.record.id : operation.id, operation);
  }
  const upserts: VectorRecord[] = [];
  const deletes: string[] = [];
  const failed = new Map<string, FaultLike>();
  for (const [id, operation] of byId) {
    if (operation.kind === "delete") {
      deletes.push(id);
      continue;
    }
    const problem = problemOf(operation.record, declared);
    if (problem === undefined) upserts.push(operation.record);
    else failed.set(id, rejected(operation.record, problem));
  }
  return { upserts, deletes, failed };
}

function checkLength({ id, vector }: VectorRecord, dimension: number, address: string): void {
  if (vector.length === dimension) return;
  throw new Fault(
    "sink.dimension",
    `The vector of record \`${id}\` has ${vector.length} numbers, the collection ${address} takes ${dimension}. Nothing ` +
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

function problemOf(
  record: VectorRecord,
  declared: Readonly<Record<string, FieldType>>,
): string | undefined {
  // One sum tells of any NaN or infinity; finite float32 cannot overflow it.
  let sum = 0;
  for (const value of record.vector) sum += value;
  if (!Number.isFinite(sum)) return "its vector holds a number that is not finite";
  for (const name of ["page", "position"] as const) {
    const value = record[name];
    if (value !== undefined && !isSmallInteger(value)) {
      return `\`${name}\` is ${value}, expected a whole number from 0 to 2147483647`;
    }
  }
  for (const [name, value] of Object.entries(record.fields)) {
    const type = declared[name];
    if (type === undefined) return `\`${name}\` is not declared under \`metadata\``;
    if (!hasType[type](value)) return `the value of \`${name}\` is not of type ${type}`;
  }
  return undefined;
}

function isSmallInteger(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0x7fffffff;
}

const hasType: Readonly<Record<FieldType, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= 8.64e15,
  string_list: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

/** Bytes that an operation weighs; an upper estimate, three bytes for each UTF-16 unit. */
export function sizeOf(operation: WriteOperation): number {
  if (operation.kind === "delete") return 64;
  const { vector, text, headings, fields, metadata, ...rest } = operation.record;
  let units = text.length + JSON.stringify(metadata).length + JSON.stringify(fields).length;
  for (const heading of headings) units += heading.length + 2;
  for (const value of Object.values(rest)) units += typeof value === "string" ? value.length : 4;
  return vector.byteLength + units * 3 + 64;
}
