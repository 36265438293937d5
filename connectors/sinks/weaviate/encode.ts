import type { VectorRecord } from "../../../src/contracts/index.ts";
import { valueOf } from "../../../src/records/layout.ts";
import type { LiveColumn } from "./live-schema.ts";
import { toDate } from "./times.ts";
import type { PropertyValue, WireObject } from "./wire-batch.ts";

/** The object of a record that was checked. A property without a value is left out, so an older value goes. */
export function toObject(record: VectorRecord, columns: readonly LiveColumn[]): WireObject {
  const properties: Record<string, PropertyValue> = {};
  for (const { column, type } of columns) {
    const value = valueOf(record, column);
    if (value === undefined || value === null) continue;
    properties[column.name] =
      type === "date" && typeof value === "number" ? toDate(value) : (value as PropertyValue);
  }
  return { id: record.id, properties, vector: record.vector };
}
