import type { FaultLike, VectorRecord, WriteOperation } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { recordRejected } from "./refusals.ts";

/** The operations of one write, ready to be sent: one for each id. */
export interface Batch {
  readonly upserts: readonly VectorRecord[];
  readonly deletes: readonly string[];
  /** Records that cannot be stored, by id. */
  readonly failed: ReadonlyMap<string, FaultLike>;
}

export interface SortOptions {
  readonly dimension: number;
  /** For messages. */
  readonly address: string;
  /** Why a record cannot be stored; undefined when it can. */
  readonly problemOf: (record: VectorRecord) => string | undefined;
}

/**
 * Sorts the operations of a write and checks every record, before anything leaves. A vector of another length refuses
 * the whole write, since stores pad, cut or shift such vectors without a word. The last operation on an id counts, since
 * of ids given twice some stores keep both.
 */
export function sortOperations(
  operations: readonly WriteOperation[],
  { dimension, address, problemOf }: SortOptions,
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
    const problem = problemOf(operation.record);
    if (problem === undefined) upserts.push(operation.record);
    else failed.set(id, recordRejected(operation.record, problem));
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
