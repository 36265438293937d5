import { closest, distance } from "fastest-levenshtein";
import type { FieldType, Filter, FilterCondition, Json, StoredRecord } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";

type Scalar = string | number | boolean;

/** A condition whose field is known and whose values have the field's type; timestamps in milliseconds. */
export type CheckedCondition =
  | {
      readonly kind: "any" | "none";
      readonly field: string;
      readonly type: FieldType;
      readonly values: readonly Scalar[];
    }
  | {
      readonly kind: "compare";
      readonly field: string;
      readonly type: FieldType;
      readonly operator: "<" | "<=" | ">" | ">=";
      readonly value: Scalar;
    };

/** The fixed fields of a record that a filter may name. */
const fixedFields = ["document", "source", "title", "uri", "pipeline"] as const;

/**
 * Checks a filter against the fixed and the declared fields, for a sink that turns it into its own language. Texts
 * (from a command line) become values of the field's type. Rejects with `config.invalid`, naming the nearest field.
 * `=` with a list means any of them, `!=` none of them. A record without the field meets no condition on it; a list
 * field meets `=` when one of its items does.
 */
export function checkFilter(
  filter: Filter,
  declared: Readonly<Record<string, FieldType>>,
): readonly CheckedCondition[] {
  return filter.map((condition) => checkCondition(condition, declared));
}

function checkCondition(
  { field, operator, value }: FilterCondition,
  declared: Readonly<Record<string, FieldType>>,
): CheckedCondition {
  const type = typeOf(field, declared);
  const given: readonly Scalar[] = typeof value === "object" ? value : [value];
  const values = given.map((item) => convert(field, type, item));
  if (operator === "=" || operator === "in") return { kind: "any", field, type, values };
  if (operator === "!=") return { kind: "none", field, type, values };
  const [first] = values;
  if (first === undefined || values.length > 1 || type === "boolean" || type === "string_list") {
    throw new Fault(
      "config.invalid",
      `The filter \`${field} ${operator}\` cannot compare ${typeNames[type]} with ${describe(value)}. ` +
        "Use `=`, `!=` or `in`, or compare with one value.",
    );
  }
  return { kind: "compare", field, type, operator, value: first };
}

function typeOf(field: string, declared: Readonly<Record<string, FieldType>>): FieldType {
  if (Object.hasOwn(declared, field)) return declared[field] ?? "string";
  if (fixedFields.some((name) => name === field)) return "string";
  const names = [...fixedFields, ...Object.keys(declared)];
  const near = closest(field, names);
  const hint = distance(field, near) <= 2 ? ` Did you mean \`${near}\`?` : "";
  throw new Fault(
    "config.invalid",
    `The filter names the field \`${field}\`, which is not stored as one of its own.${hint} There are ` +
      `${names.map((name) => `\`${name}\``).join(", ")}; declare others under \`metadata\`.`,
  );
}

const typeNames: Readonly<Record<FieldType, string>> = {
  string: "a string",
  integer: "an integer",
  float: "a number",
  boolean: "true or false",
  timestamp: "a time (milliseconds since 1970, or as 2026-01-31T12:00:00Z)",
  string_list: "strings",
};

function convert(field: string, type: FieldType, value: Scalar): Scalar {
  const converted = converters[type](value);
  if (converted !== undefined) return converted;
  throw new Fault(
    "config.invalid",
    `The filter compares \`${field}\` with ${describe(value)}, expected ${typeNames[type]}.`,
  );
}

const converters: Readonly<Record<FieldType, (value: Scalar) => Scalar | undefined>> = {
  string: (value) => (typeof value === "string" ? value : undefined),
  string_list: (value) => (typeof value === "string" ? value : undefined),
  integer: toNumber,
  float: toNumber,
  boolean: (value) => {
    if (typeof value === "boolean") return value;
    return value === "true" ? true : value === "false" ? false : undefined;
  },
  timestamp: (value) => {
    const time = toNumber(typeof value === "string" ? parseTime(value) : value);
    return time !== undefined && Math.abs(time) <= 8.64e15 ? Math.trunc(time) : undefined;
  },
};

function toNumber(value: Scalar): number | undefined {
  if (typeof value === "boolean" || value === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function parseTime(value: string): Scalar {
  return /^-?\d+$/.test(value) ? value : Date.parse(value);
}

function describe(value: FilterCondition["value"]): string {
  return typeof value === "object" ? "a list" : `\`${value}\``;
}

/** Whether a record meets every condition; for stores that search by themselves. */
export function meetsConditions(
  record: Pick<StoredRecord, "document" | "source" | "pipeline" | "title" | "uri" | "fields">,
  conditions: readonly CheckedCondition[],
): boolean {
  return conditions.every((condition) => meets(valueOf(record, condition.field), condition));
}

function valueOf(record: Parameters<typeof meetsConditions>[0], field: string): Json | undefined {
  const fixed = fixedFields.find((name) => name === field);
  return fixed === undefined ? record.fields[field] : record[fixed];
}

function meets(value: Json | undefined, condition: CheckedCondition): boolean {
  if (value === undefined || value === null) return false;
  if (condition.kind !== "compare") {
    const items: readonly Json[] = Array.isArray(value) ? value : [value as Json];
    const found = condition.values.some((wanted) => items.includes(wanted));
    return condition.kind === "any" ? found : !found;
  }
  if (typeof value !== typeof condition.value) return false;
  const [left, right] = [value as Scalar, condition.value];
  if (condition.operator === "<") return left < right;
  if (condition.operator === "<=") return left <= right;
  if (condition.operator === ">") return left > right;
  return left >= right;
}
