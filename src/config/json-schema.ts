import { z } from "zod";
import type { Path } from "./tree.ts";

/** The part of JSON Schema that zod writes and that we read. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  /** Redacted wherever it is shown. */
  readonly secret?: boolean;
  /** Does not change what is made of a document. */
  readonly operational?: boolean;
}

/** What a zod schema accepts, as JSON Schema; its definitions are named with a prefix, so that schemas can be joined. */
export function toJsonSchema(schema: z.ZodType, prefix: string): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const { $defs, ...rest } = rename(json, prefix) as JsonSchema;
  if ($defs === undefined) return rest;
  const named = Object.entries($defs).map(([name, value]) => [prefix + name, value] as const);
  return { ...rest, $defs: Object.fromEntries(named) };
}

/** All schemas that may apply at a path; several when a union is on the way. */
export function schemasAt(root: JsonSchema, path: Path): readonly JsonSchema[] {
  let schemas = alternatives(root, root);
  for (const step of path) {
    schemas = schemas
      .flatMap((schema) => member(schema, step))
      .flatMap((schema) => alternatives(schema, root));
  }
  return schemas;
}

/** The keys that a map at a path may have. */
export function keysAt(root: JsonSchema, path: Path): string[] {
  const keys = schemasAt(root, path).flatMap((schema) => Object.keys(schema.properties ?? {}));
  return [...new Set(keys)];
}

/** Whether a mark of the declaration (`secret`, `operational`) stands at the path or above it. */
export function markedAt(root: JsonSchema, path: Path, mark: "secret" | "operational"): boolean {
  return [...path, undefined].some((_, length) =>
    schemasAt(root, path.slice(0, length)).some((schema) => schema[mark] === true),
  );
}

/** A schema with its references followed, and the branches of its unions. Marks of a union hold for its branches. */
function alternatives(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema[] {
  if (depth > 16) return [];
  const name = schema.$ref?.replace(/^#\/\$defs\//, "");
  const target = schema.$ref === "#" ? root : name === undefined ? undefined : root.$defs?.[name];
  if (target !== undefined) return alternatives(target, root, depth + 1);
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  if (branches.length === 0) return [schema];
  return [schema, ...branches.flatMap((branch) => alternatives(branch, root, depth + 1))];
}

function member(schema: JsonSchema, step: string | number): JsonSchema[] {
  if (typeof step === "number") {
    const item = schema.prefixItems?.[step] ?? schema.items;
    return item === undefined ? [] : [item];
  }
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, step)) {
    const property = properties[step];
    return property === undefined ? [] : [property];
  }
  return typeof additionalProperties === "object" ? [additionalProperties] : [];
}

/** Points every reference to the definition's new name. */
function rename(value: unknown, prefix: string): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, prefix));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "$ref" && typeof item === "string"
        ? item.replace("#/$defs/", `#/$defs/${prefix}`)
        : rename(item, prefix),
    ]),
  );
}
