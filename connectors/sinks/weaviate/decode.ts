import type { StoredRecord } from "../../../src/contracts/index.ts";
import { type Cell, readRecord } from "../../../src/records/read-record.ts";
import type { LiveColumn } from "./live-schema.ts";
import { fromDate } from "./times.ts";
import type { WireHit } from "./wire-search.ts";

/** The record of an object. Properties that were not asked for are left out. */
export function toRecord(hit: WireHit, columns: readonly LiveColumn[]): StoredRecord {
  const cells = columns.map(({ column, type }): Cell => {
    const raw = hit.properties[column.name];
    return [column, type === "date" && typeof raw === "string" ? fromDate(raw) : raw];
  });
  return readRecord(cells, { id: hit.id, vector: hit.vector });
}
