import type { WriteOperation } from "../contracts/index.ts";

/** Bytes that an operation weighs where texts travel as UTF-8; an upper estimate, three bytes for each UTF-16 unit. */
export function weigh(operation: WriteOperation): number {
  if (operation.kind === "delete") return 64;
  const { vector, text, headings, fields, metadata, ...rest } = operation.record;
  let units = text.length + JSON.stringify(metadata).length + JSON.stringify(fields).length;
  for (const heading of headings) units += heading.length + 2;
  for (const value of Object.values(rest)) units += typeof value === "string" ? value.length : 4;
  return vector.byteLength + units * 3 + 64;
}
