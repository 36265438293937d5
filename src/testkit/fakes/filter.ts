import type { Filter, FilterCondition, Json, VectorRecord } from "../../contracts/index.ts";

type Scalar = string | number | boolean;

/** Whether a record meets all conditions. A field that the record lacks meets none. */
export function matchesFilter(record: VectorRecord, filter: Filter): boolean {
  return filter.every((condition) => meets(valueOf(record, condition.field), condition));
}

function valueOf(record: VectorRecord, field: string): Json | undefined {
  if (field === "document") return record.document;
  if (field === "source") return record.source;
  if (field === "title") return record.title;
  if (field === "uri") return record.uri;
  if (field === "pipeline") return record.pipeline;
  return record.fields[field];
}

function meets(value: Json | undefined, { operator, value: wanted }: FilterCondition): boolean {
  if (value === undefined || value === null) return false;
  if (typeof wanted === "object") {
    const found = wanted.some((item) => value === item);
    return operator === "!=" ? !found : found;
  }
  if (operator === "=" || operator === "in") return value === wanted;
  if (operator === "!=") return value !== wanted;
  return compare(value, wanted, operator);
}

function compare(value: Json, wanted: Scalar, operator: "<" | "<=" | ">" | ">="): boolean {
  if (typeof value !== typeof wanted) return false;
  const left = value as Scalar;
  if (operator === "<") return left < wanted;
  if (operator === "<=") return left <= wanted;
  if (operator === ">") return left > wanted;
  return left >= wanted;
}
