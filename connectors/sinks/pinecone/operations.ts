import type * as Sdk from "@pinecone-database/pinecone";
import type {
  FaultLike,
  FieldType,
  VectorRecord,
  WriteOperation,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { isStorableId, problemOf } from "./check-record.ts";
import type { Encoder } from "./encode.ts";
import { serviceLimits } from "./limits.ts";

/** The operations of one write, ready to be sent: one for each id. */
export interface Batch {
  readonly upserts: readonly Sdk.PineconeRecord[];
  readonly deletes: readonly string[];
  /** Records that cannot be stored, by id. */
  readonly failed: ReadonlyMap<string, FaultLike>;
}

export interface BatchOptions {
  readonly encoder: Encoder;
  readonly dimension: number;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly address: string;
}

/**
 * Sorts the operations and checks every record, before anything leaves: the service refuses a whole request for one bad
 * record. A vector of another length, and a write that is too large, refuse everything. The last operation on an id
 * counts.
 */
export function prepare(operations: readonly WriteOperation[], options: BatchOptions): Batch {
  const byId = new Map<string, WriteOperation>();
  for (const operation of operations) {
    if (operation.kind === "upsert") checkLength(operation.record, options);
    byId.set(operation.kind === "upsert" ? operation.record.id : operation.id, operation);
  }
  const upserts: Sdk.PineconeRecord[] = [];
  const deletes: string[] = [];
  const failed = new Map<string, FaultLike>();
  let bytes = 0;
  for (const [id, operation] of byId) {
    if (operation.kind === "delete") {
      // There is no record of any other id.
      if (isStorableId(id)) deletes.push(id);
      continue;
    }
    const { record } = operation;
    const problem = problemOf(record, options.declared) ?? sizeProblem(record, options.encoder);
    if (problem !== undefined) {
      failed.set(id, rejected(record, problem));
      continue;
    }
    const encoded = options.encoder.encode(record);
    upserts.push(encoded.record);
    bytes += encoded.bytes;
  }
  checkSize(upserts.length, deletes.length, bytes, options.address);
  return { upserts, deletes, failed };
}

/** Bytes that an operation weighs in a request. */
export function sizeOf(operation: WriteOperation, encoder: Encoder): number {
  if (operation.kind === "delete") return operation.id.length + 3;
  return encoder.encode(operation.record).bytes;
}

function checkLength({ id, vector }: VectorRecord, { dimension, address }: BatchOptions): void {
  if (vector.length === dimension) return;
  throw new Fault(
    "sink.dimension",
    `The vector of record \`${id}\` has ${vector.length} numbers, the collection ${address} takes ${dimension}. Nothing of this write ` +
      "was sent.",
  );
}

function checkSize(upserts: number, deletes: number, bytes: number, address: string): void {
  const { recordsPerRequest, upsertBytes } = serviceLimits;
  if (Math.max(upserts, deletes) <= recordsPerRequest && bytes <= upsertBytes) return;
  throw new Fault(
    "sink.too-large",
    `A write of ${upserts} records (${bytes} bytes) and ${deletes} deletes is too large for the collection ${address}, which takes ` +
      `${recordsPerRequest} and ${upsertBytes} bytes at once. Nothing of it was sent.`,
  );
}

function sizeProblem(record: VectorRecord, encoder: Encoder): string | undefined {
  const { metadataBytes } = encoder.encode(record);
  if (metadataBytes <= serviceLimits.metadataBytes) return undefined;
  return (
    `its text and metadata take ${metadataBytes} bytes, and Pinecone takes ${serviceLimits.metadataBytes}. Lower ` +
    "`chunker.max_tokens`, or leave fields out with `omit`"
  );
}

function rejected({ id, document }: VectorRecord, problem: string): Fault {
  return new Fault(
    "sink.rejected",
    `Record \`${id}\` of document \`${document}\` cannot be stored: ${problem}.`,
    { retry: "never" },
  );
}
