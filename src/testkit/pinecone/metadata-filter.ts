import type { Json, JsonObject } from "../../contracts/index.ts";
import { isList, isObject } from "./json.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import type { PineconeMetadata, PineconeMetadataValue } from "./record.ts";
import { Refusal } from "./refusal.ts";

/** Whether a record's metadata meets a filter. */
export type MetadataTest = (metadata: PineconeMetadata | undefined) => boolean;

type ValueTest = (value: PineconeMetadataValue | undefined) => boolean;

/**
 * Reads an expression of the metadata filter language. Several conditions must all be met. A list meets `$eq` and `$in`
 * when one of its items does. `$ne` and `$nin` are met by whatever does not meet `$eq` and `$in`, so also by records
 * without the field.
 */
export function parseFilter(filter: JsonObject): MetadataTest {
  return parseExpression(filter, 1);
}

function parseExpression(filter: JsonObject, depth: number): MetadataTest {
  if (depth > limits.filterDepth) throw new Refusal(400, "The metadata filter is nested too deep");
  const tests = Object.entries(filter).map(([key, value]) =>
    key.startsWith("$") ? parseLogic(key, value, depth) : parseField(key, value),
  );
  return (metadata) => tests.every((test) => test(metadata));
}

function parseLogic(operator: string, value: Json, depth: number): MetadataTest {
  if (operator !== "$and" && operator !== "$or") {
    throw new Refusal(400, `${operator} is not a valid operator of the metadata filter`);
  }
  if (!isList(value) || value.length === 0) throw wantsFilters(operator, value);
  const tests = value.map((item) => {
    if (!isObject(item) || Object.keys(item).length === 0) throw wantsFilters(operator, value);
    return parseExpression(item, depth + 1);
  });
  if (operator === "$and") return (metadata) => tests.every((test) => test(metadata));
  return (metadata) => tests.some((test) => test(metadata));
}

function wantsFilters(operator: string, value: Json): Refusal {
  return new Refusal(400, messages.operand(operator, "a list of filter expressions", value));
}

function parseField(field: string, value: Json): MetadataTest {
  const conditions = isObject(value) ? value : { $eq: value };
  const tests = Object.entries(conditions).map(([operator, operand]) => {
    const parse = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
    if (parse === undefined) throw new Refusal(400, messages.condition(field, value));
    return parse(operator, operand);
  });
  return (metadata) => {
    const present = metadata !== undefined && Object.hasOwn(metadata, field);
    const found = present ? metadata[field] : undefined;
    return tests.every((test) => test(found));
  };
}

const operators: Readonly<Record<string, (operator: string, operand: Json) => ValueTest>> = {
  $eq: parseEqual,
  $ne: (operator, operand) => not(parseEqual(operator, operand)),
  $in: parseAny,
  $nin: (operator, operand) => not(parseAny(operator, operand)),
  $gt: (operator, operand) => compare(operator, operand, (value, limit) => value > limit),
  $gte: (operator, operand) => compare(operator, operand, (value, limit) => value >= limit),
  $lt: (operator, operand) => compare(operator, operand, (value, limit) => value < limit),
  $lte: (operator, operand) => compare(operator, operand, (value, limit) => value <= limit),
  $exists: (operator, operand) => {
    if (typeof operand !== "boolean") {
      throw new Refusal(400, messages.operand(operator, "a boolean", operand));
    }
    return (value) => (value !== undefined) === operand;
  },
};

function parseEqual(operator: string, operand: Json): ValueTest {
  if (!["string", "number", "boolean"].includes(typeof operand)) {
    const wanted = "a string, boolean or a number";
    throw new Refusal(400, messages.operand(operator, wanted, operand));
  }
  return (value) => value === operand || holds(value, operand);
}

function parseAny(operator: string, operand: Json): ValueTest {
  const wanted = "a list of strings or a list of numbers";
  const kinds = isList(operand) ? new Set(operand.map((item) => typeof item)) : undefined;
  if (!isList(operand) || kinds === undefined || kinds.size > 1) {
    throw new Refusal(400, messages.operand(operator, wanted, operand));
  }
  if (operand.length > 0 && !kinds.has("string") && !kinds.has("number")) {
    throw new Refusal(400, messages.operand(operator, wanted, operand));
  }
  if (operand.length > limits.filterValues) {
    const most = `${operator} takes at most ${limits.filterValues} values`;
    throw new Refusal(400, `${most}, got ${operand.length}`);
  }
  const values = new Set<Json | undefined>(operand);
  return (value) =>
    typeof value === "object" ? value.some((item) => values.has(item)) : values.has(value);
}

function compare(
  operator: string,
  operand: Json,
  meets: (value: number, limit: number) => boolean,
): ValueTest {
  if (typeof operand !== "number") {
    throw new Refusal(400, messages.operand(operator, "a number", operand));
  }
  return (value) => typeof value === "number" && meets(value, operand);
}

function holds(value: PineconeMetadataValue | undefined, item: Json): boolean {
  return typeof value === "object" && typeof item === "string" && value.includes(item);
}

function not(test: ValueTest): ValueTest {
  return (value) => !test(value);
}
