import type { FieldType, Json, JsonObject } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";

export interface SplitMetadata {
  /** Declared fields, converted to their types. */
  readonly fields: JsonObject;
  /** Everything else. */
  readonly rest: JsonObject;
}

/** Separates declared metadata from the rest; a value of another type is this document's fault. */
export function splitMetadata(
  metadata: JsonObject,
  declared: Readonly<Record<string, FieldType>>,
): SplitMetadata {
  const fields: [string, Json][] = [];
  const rest: [string, Json][] = [];
  for (const [key, value] of Object.entries(metadata)) {
    const type = Object.hasOwn(declared, key) ? declared[key] : undefined;
    if (value === null) continue;
    if (type === undefined) rest.push([key, value]);
    else fields.push([key, convert(key, type, value)]);
  }
  // From entries, so that a key `__proto__` is a key.
  return { fields: Object.fromEntries(fields), rest: Object.fromEntries(rest) };
}

function convert(key: string, type: FieldType, value: Json): Json {
  const converted = converters[type](value);
  if (converted !== undefined) return converted;
  throw new Fault(
    "parse.metadata",
    `The metadata field \`${key}\` is declared as ${type}, but the document has ${describe(value)}. ` +
      "Correct the document or the declaration under `metadata`.",
  );
}

const converters: Record<FieldType, (value: Json) => Json | undefined> = {
  string: (value) => (typeof value === "object" ? undefined : String(value)),
  integer: (value) => {
    const number = numberOf(value);
    return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
  },
  float: numberOf,
  boolean: (value) => {
    if (typeof value === "boolean") return value;
    return value === "true" ? true : value === "false" ? false : undefined;
  },
  timestamp: timestampOf,
  string_list: (value) => {
    const list = Array.isArray(value) ? value : [value];
    const strings = list.map((item) => (typeof item === "object" ? undefined : String(item)));
    return strings.every((item) => item !== undefined) ? strings : undefined;
  },
};

function numberOf(value: Json): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Milliseconds since the epoch; a date without a time zone is read as UTC. */
function timestampOf(value: Json): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/i;
  const parts = match.exec(text);
  if (parts === null) return undefined;
  const [, date, time, zone] = parts;
  // A day that its month does not have would be taken for one of the next month.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== date) {
    return undefined;
  }
  const parsed = Date.parse(time === undefined ? `${date}` : `${date}T${time}${zone ?? "Z"}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Says what a value is without showing it: metadata is document content. */
function describe(value: Json): string {
  if (Array.isArray(value)) return `a list of ${value.length} values`;
  if (typeof value === "object") return "an object";
  return `a ${typeof value} of another form`;
}
