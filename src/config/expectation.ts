import type { JsonSchema } from "./json-schema.ts";

const largest = Number.MAX_SAFE_INTEGER;

/** What a schema accepts, in words: "an integer between 1 and 64", "one of `cosine`, `dot`". */
export function expectation(schemas: readonly JsonSchema[]): string {
  const words = schemas.flatMap((schema) => describe(schema) ?? []);
  return [...new Set(words)].join(" or ");
}

function describe(schema: JsonSchema): string | undefined {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => `\`${String(value)}\``);
    return values.length === 1 ? values[0] : `one of ${values.join(", ")}`;
  }
  switch (schema.type) {
    case "integer":
      return `an integer${bounds(schema)}`;
    case "number":
      return `a number${bounds(schema)}`;
    case "boolean":
      return "`true` or `false`";
    case "string":
      return text(schema);
    case "array":
      return list(schema);
    case "object":
      return "a map of keys and values";
    default:
      return undefined;
  }
}

function text(schema: JsonSchema): string {
  if (schema.format === "uri") return "a URL";
  const { minLength = 0, maxLength } = schema;
  if (maxLength !== undefined) return `text of ${minLength} to ${maxLength} characters`;
  return minLength > 0 ? "text that is not empty" : "text";
}

function list(schema: JsonSchema): string {
  const items = schema.items === undefined ? "" : expectation([schema.items]);
  const of = items === "" ? "" : ` of ${items}`;
  return `a list${of}${(schema.minItems ?? 0) > 0 ? " that is not empty" : ""}`;
}

function bounds(schema: JsonSchema): string {
  const integer = schema.type === "integer";
  const above = schema.exclusiveMinimum;
  const below = schema.exclusiveMaximum;
  const least = schema.minimum ?? (integer && above !== undefined ? above + 1 : undefined);
  const most = schema.maximum ?? (integer && below !== undefined ? below - 1 : undefined);
  const low = least === undefined || least <= -largest ? undefined : least;
  const high = most === undefined || most >= largest ? undefined : most;
  if (low !== undefined && high !== undefined) return ` between ${low} and ${high}`;
  if (low !== undefined) return ` of at least ${low}`;
  if (high !== undefined) return ` of at most ${high}`;
  if (above !== undefined && !integer) return ` above ${above}`;
  return "";
}
