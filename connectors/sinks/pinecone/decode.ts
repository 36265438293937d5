import type * as Sdk from "@pinecone-database/pinecone";
import type { StoredRecord } from "../../../src/contracts/index.ts";
import type { Layout } from "../../../src/records/layout.ts";
import { type Cell, readRecord } from "../../../src/records/read-record.ts";

/** Reads a record of the service. Metadata that the layout does not have is left out. */
export function decodeRecord(
  { id, values, metadata = {} }: Sdk.PineconeRecord,
  layout: Layout,
  options: { readonly vectors: boolean },
): StoredRecord {
  const cells = layout.columns
    .filter(({ name }) => Object.hasOwn(metadata, name))
    .map((column): Cell => [column, metadata[column.name]]);
  return readRecord(cells, {
    id,
    ...(options.vectors ? { vector: Float32Array.from(values ?? []) } : {}),
  });
}
