import type { FieldType } from "../../../src/contracts/index.ts";
import type { CheckedCondition } from "../../../src/records/filter.ts";
import type { Place } from "./schema.ts";

/** The words of Milvus' expressions. */
const words = [
  "in|like|exists|is|null|and|or|not|true|false|interval|iso|text_match|phrase_match|random_sample",
  "(?:json|array)_contains(?:_all|_any)?|array_length",
  "st_(?:equals|touches|overlaps|crosses|contains|intersects|within|dwithin|isvalid)",
].join("|");

/** Names that filters could not name, as a part of a regular expression: those words, in any case. */
export const reservedNames = words.replaceAll(
  /[a-z]/g,
  (letter) => `[${letter}${letter.toUpperCase()}]`,
);

const largest = 9_223_372_036_854_775_807n;

/** A text as Milvus' expressions write it. Only these have to be escaped, and Milvus Lite knows no others. */
export function quoteText(text: string): string {
  const escaped = text
    .toWellFormed()
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}

/** A condition that holds for records of these ids. */
export function idsIn(key: string, ids: readonly string[]): string {
  return `${key} in [${ids.map(quoteText).join(", ")}]`;
}

/** A filter as an expression; undefined when no record can meet it. `key` is the name of the primary key. */
export function toExpression(
  conditions: readonly CheckedCondition[],
  places: readonly Place[],
  key: string,
): string | undefined {
  const parts: string[] = [];
  for (const condition of conditions) {
    const place = places.find(({ column }) => column.field === condition.field);
    const part = place === undefined ? undefined : toPart(condition, place, key);
    if (part === undefined) return undefined;
    parts.push(`(${part})`);
  }
  return parts.join(" and ");
}

function toPart(condition: CheckedCondition, place: Place, key: string): string | undefined {
  const { name } = place.column;
  if (condition.kind === "compare") {
    return `${name} ${compared(condition.operator, condition.type, condition.value)}`;
  }
  const { type } = condition;
  const values = condition.values
    .filter((value) => canEqual(type, value))
    .map((value) => literal(type, value));
  const any = condition.kind === "any";
  // Expressions know no constants; every key is a text.
  if (values.length === 0) return any ? undefined : (presence(place) ?? `${key} >= ""`);
  if (type === "string_list") {
    const isArray = place.kind === "field" && place.field.data_type === "Array";
    const found = `${isArray ? "array" : "json"}_contains_any(${name}, [${values.join(", ")}])`;
    return any ? found : guarded(place, `not ${found}`);
  }
  const list = `[${values.join(", ")}]`;
  return any ? equalled(place, list, values) : guarded(place, `${name} not in ${list}`);
}

/** With a part that no record meets, a condition on a partition key is looked up in every partition. */
function equalled(place: Place, list: string, [value = ""]: readonly string[]): string {
  const { name } = place.column;
  const found = `${name} in ${list}`;
  if (place.kind === "dynamic" || place.scattered !== true) return found;
  return `(${found}) or (${name} < ${value} and ${name} > ${value})`;
}

/** A record without a value meets no condition, which Milvus sees otherwise where it says "not". */
function guarded(place: Place, condition: string): string {
  const present = presence(place);
  return present === undefined ? condition : `(${present}) and (${condition})`;
}

/** The condition that a record has a value; undefined when each has one. */
function presence(place: Place): string | undefined {
  if (place.kind === "dynamic") return `exists ${place.column.name}`;
  return place.field.nullable ? `${place.column.name} is not null` : undefined;
}

function canEqual(type: FieldType, value: string | number | boolean): boolean {
  return type !== "integer" || Number.isSafeInteger(value);
}

function literal(type: FieldType, value: string | number | boolean): string {
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "boolean") return `${value}`;
  return type === "float" ? decimal(value) : `${value}`;
}

/** With a point or an exponent, so that no number is taken for an integer of 64 bits that it does not fit. */
function decimal(value: number): string {
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text.replace("e+", "e");
}

function compared(
  operator: "<" | "<=" | ">" | ">=",
  type: FieldType,
  value: string | number | boolean,
): string {
  if (typeof value !== "number" || type === "float") return `${operator} ${literal(type, value)}`;
  const isUpper = operator.startsWith("<");
  if (Number.isSafeInteger(value)) return `${operator} ${value}`;
  // Integers are compared with integers: at most 2.5 is at most 2.
  const bound = isUpper ? Math.floor(value) : Math.ceil(value);
  return `${isUpper ? "<=" : ">="} ${clamped(bound)}`;
}

function clamped(value: number): bigint {
  const whole = BigInt(value);
  if (whole > largest) return largest;
  return whole < -largest ? -largest : whole;
}
