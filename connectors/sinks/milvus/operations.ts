import type { FaultLike, VectorRecord, WriteOperation } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";

/** The operations of one write: one for each id. */
export interface Batch {
  readonly upserts: readonly VectorRecord[];
  readonly deletes: readonly string[];
}

/**
 * Sorts the operations, before anything leaves. A vector of another length refuses the whole write: Milvus compares
 * only the sum of all lengths, and would store numbers of one row in the next. The last operation on an id counts; of
 * ids given twice some servers keep both rows, others refuse the request.
 */
export function sortOperations(
  operations: readonly WriteOperation[],
  dimension: number,
  address: string,
): Batch {
  const byId = new Map<string, WriteOperation>();
  for (const operation of operations) {
    if (operation.kind === "upsert") checkLength(operation.record, dimension, address);
    byId.set(operation.kind === "upsert" ? operation.record.id : operation.id, operation);
  }
  const upserts: VectorRecord[] = [];
  const deletes: string[] = [];
  for (const [id, operation] of byId) {
    if (operation.kind === "upsert") upserts.push(operation.record);
    else deletes.push(id);
  }
  return { upserts, deletes };
}

function checkLength({ id, vector }: VectorRecord, dimension: number, address: string): void {
  if (vector.length === dimension) return;
  throw new Fault(
    "sink.dimension",
    `The vector of record \`${id}\` has ${vector.length} numbers, the collection ${address} takes ${dimension}. Nothing ` +
      "of this write was sent.",
  );
}

/** Why a record was not sent. */
export function rejected({ id, document }: VectorRecord, problem: string): FaultLike {
  return new Fault(
    "sink.rejected",
    `Record \`${id}\` of document \`${document}\` cannot be stored: ${problem}.`,
    { retry: "never" },
  );
}

/** Bytes that an operation weighs; an upper estimate, three bytes for each UTF-16 unit. */
export function sizeOf(operation: WriteOperation): number {
  if (operation.kind === "delete") return 64;
  const { vector, text, headings, fields, metadata, ...rest } = operation.record;
  let units = text.length + JSON.stringify(metadata).length + JSON.stringify(fields).length;
  for (const heading of headings) units += heading.length + 2;
  for (const value of Object.values(rest)) units += typeof value === "string" ? value.length : 4;
  return vector.byteLength + units * 3 + 64;
}
