import type * as Sdk from "@pinecone-database/pinecone";
import type { VectorRecord } from "../../../src/contracts/index.ts";
import { type Layout, valueOf } from "../../../src/records/layout.ts";
import { shorten } from "./short-numbers.ts";

/** A record as the service takes it, and what it weighs as JSON. */
export interface EncodedRecord {
  readonly record: Sdk.PineconeRecord & { readonly values: number[] };
  readonly bytes: number;
  readonly metadataBytes: number;
}

/**
 * Encodes records. A record is weighed long before it is written, and weighing takes encoding: what was made of it is
 * kept for as long as the record itself.
 */
export class Encoder {
  readonly #layout: Layout;
  readonly #encoded = new WeakMap<VectorRecord, EncodedRecord>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  encode(record: VectorRecord): EncodedRecord {
    const known = this.#encoded.get(record);
    if (known !== undefined) return known;
    const { numbers, bytes } = shorten(record.vector);
    const metadata = this.#metadataOf(record);
    const metadataBytes = Buffer.byteLength(JSON.stringify(metadata));
    const encoded = {
      record: { id: record.id, values: numbers, metadata },
      bytes: bytes + metadataBytes + Buffer.byteLength(JSON.stringify(record.id)) + surrounding,
      metadataBytes,
    };
    this.#encoded.set(record, encoded);
    return encoded;
  }

  /** The service knows no null: what a record does not have is left out, and so are headings where there are none. */
  #metadataOf(record: VectorRecord): Sdk.RecordMetadata {
    const metadata: Record<string, unknown> = {};
    for (const column of this.#layout.columns) {
      if (column.field === "id" || column.field === "vector") continue;
      const value = valueOf(record, column);
      const isNone = value === undefined || (column.field === "headings" && isEmpty(value));
      if (!isNone) metadata[column.name] = value;
    }
    return metadata as Sdk.RecordMetadata;
  }
}

/** `{"id":,"values":,"metadata":},` */
const surrounding = 32;

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
