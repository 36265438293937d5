import type { ColumnType } from "../../../src/records/layout.ts";

/** The property that holds markers; on no record. */
export const markerProperty = "sluice";

/** Types of properties that take a column without loss; the first is the one that is created. */
export const propertyTypes: Readonly<Record<ColumnType, readonly string[]>> = {
  // No property: an object has its vectors beside them.
  vector: [],
  string: ["text", "string"],
  json: ["text", "string"],
  string_list: ["text[]", "string[]"],
  // 53 bits, as a number of JavaScript has.
  integer: ["int", "number"],
  float: ["number"],
  boolean: ["boolean"],
  timestamp: ["date", "int", "number"],
};
