import type { FieldType } from "../../../src/contracts/index.ts";
import type { CheckedCondition } from "../../../src/records/filter.ts";

/** Quotes a column name. */
export function quoteName(name: string): string {
  return `\`${name}\``;
}

/** Quotes a string; Lance's dialect has no escape but the doubled quote. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A condition that holds for records of these ids. */
export function idsIn(column: string, ids: readonly string[]): string {
  return `${quoteName(column)} IN (${ids.map(quoteText).join(", ")})`;
}

/** A filter as an SQL condition. `columnOf` gives the live column of a field; undefined when the table has none. */
export function toSql(
  conditions: readonly CheckedCondition[],
  columnOf: (field: string) => string | undefined,
): string {
  return conditions.map((condition) => conditionSql(condition, columnOf)).join(" AND ");
}

function conditionSql(
  condition: CheckedCondition,
  columnOf: (field: string) => string | undefined,
): string {
  const column = columnOf(condition.field);
  if (column === undefined) return "false";
  const name = quoteName(column);
  if (condition.kind === "compare") {
    return `${name} ${condition.operator} ${literal(condition.type, condition.value)}`;
  }
  const values = condition.values
    .filter((value) => canEqual(condition.type, value))
    .map((value) => literal(condition.type, value));
  const any = condition.kind === "any";
  if (values.length === 0) return any ? "false" : `${name} IS NOT NULL`;
  if (condition.type === "string_list") {
    const found = `array_has_any(${name}, [${values.join(", ")}])`;
    return any ? found : `(${name} IS NOT NULL AND NOT ${found})`;
  }
  return `${name} ${any ? "IN" : "NOT IN"} (${values.join(", ")})`;
}

function canEqual(type: FieldType, value: string | number | boolean): boolean {
  return type !== "integer" || Number.isSafeInteger(value);
}

function literal(type: FieldType, value: string | number | boolean): string {
  if (type === "timestamp") return `to_timestamp_millis(${value})`;
  if (type === "float") return `CAST(${value} AS DOUBLE)`;
  if (typeof value === "string") return quoteText(value);
  if (type === "integer" && !Number.isSafeInteger(value)) return `CAST(${value} AS DOUBLE)`;
  return `${value}`;
}
