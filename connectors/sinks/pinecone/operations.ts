import type * as Sdk from "@pinecone-database/pinecone";
import type {
  FaultLike,
  FieldType,
  VectorRecord,
  WriteOperation,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { sortOperations } from "../../../src/records/sort-operations.ts";
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
 * Sorts and checks the operations of one write, before anything leaves: the service refuses a whole request for one bad
 * record. A write that is too large is refused as a whole.
 */
export function prepare(operations: readonly WriteOperation[], options: BatchOptions): Batch {
  const { encoder, dimension, declared, address } = options;
  const batch = sortOperations(operations, {
    dimension,
    address,
    problemOf: (record) => problemOf(record, declared) ?? sizeProblem(record, encoder),
  });
  const encoded = batch.upserts.map((record) => encoder.encode(record));
  // There is no record of any other id.
  const deletes = batch.deletes.filter((id) => isStorableId(id));
  const bytes = encoded.reduce((sum, { bytes: own }) => sum + own, 0);
  checkSize(encoded.length, deletes.length, bytes, address);
  return { upserts: encoded.map(({ record }) => record), deletes, failed: batch.failed };
}

/** Bytes that an operation weighs in a request. */
export function sizeOf(operation: WriteOperation, encoder: Encoder): number {
  if (operation.kind === "delete") return operation.id.length + 3;
  return encoder.encode(operation.record).bytes;
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
