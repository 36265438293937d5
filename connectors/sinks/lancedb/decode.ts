import type * as Arrow from "apache-arrow";
import type { StoredRecord } from "../../../src/contracts/index.ts";
import { fromFloat16 } from "../../../src/records/float16.ts";
import { type Cell, readRecord } from "../../../src/records/read-record.ts";
import type { LiveColumn } from "./schema.ts";

/** Reads the records of a batch. Columns that were not asked for are left out. */
export function decodeBatch(
  batch: Arrow.RecordBatch,
  columns: readonly LiveColumn[],
): StoredRecord[] {
  const readers = columns.flatMap(({ column }) => {
    const vector = batch.getChild(column.name);
    return vector === null ? [] : [{ column, vector }];
  });
  return Array.from({ length: batch.numRows }, (_, row) => {
    const cells: Cell[] = [];
    let floats: Float32Array | undefined;
    for (const { column, vector } of readers) {
      const raw: unknown = vector.get(row);
      if (raw === null || raw === undefined) continue;
      if (column.type === "vector") floats = toFloats(raw);
      else cells.push([column, toJson(raw)]);
    }
    return readRecord(cells, { vector: floats });
  });
}

/** Values as records have them: times in milliseconds, 64-bit integers as numbers, lists as arrays. */
function toJson(raw: unknown): unknown {
  if (typeof raw === "bigint") return Number(raw);
  if (typeof raw === "object" && raw !== null && Symbol.iterator in raw) {
    return [...(raw as Iterable<unknown>)].map((item) => toJson(item));
  }
  return raw;
}

/** A copy: the batch's memory is the driver's. */
function toFloats(raw: unknown): Float32Array {
  const values: unknown = (raw as Arrow.Vector).toArray();
  if (values instanceof Uint16Array) return Float32Array.from(values, fromFloat16);
  if (values instanceof Float32Array) return values.slice();
  return Float32Array.from(values as Iterable<number>);
}
