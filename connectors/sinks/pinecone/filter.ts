import type { FieldType } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { CheckedCondition } from "../../../src/records/filter.ts";
import { serviceLimits } from "./limits.ts";

type Scalar = string | number | boolean;

/** An expression of the service's filter language. */
export type ServiceFilter = Readonly<Record<string, unknown>>;

/** What the index knows of the fields that a filter names. */
export interface FilterNames {
  /** The metadata key of a field; undefined when no record has it. */
  nameOf(field: string): string | undefined;
  /** Keys that filters can name; undefined when all can be. */
  readonly filterable: ReadonlySet<string> | undefined;
}

/** The conditions in the service's language; `nothing` when no record can meet them. Undefined without conditions. */
export function toServiceFilter(
  conditions: readonly CheckedCondition[],
  names: FilterNames,
): ServiceFilter | "nothing" | undefined {
  const parts: ServiceFilter[] = [];
  for (const condition of conditions) {
    const name = names.nameOf(condition.field);
    if (name === undefined) return "nothing";
    checkFilterable(condition.field, name, names);
    const tests = testsOf(condition);
    if (tests === "nothing") return "nothing";
    parts.push(...tests.map((test) => ({ [name]: test })));
  }
  if (parts.length < 2) return parts[0];
  return { $and: parts };
}

function checkFilterable(field: string, name: string, { filterable }: FilterNames): void {
  if (filterable === undefined || filterable.has(name)) return;
  throw new Fault(
    "config.invalid",
    `The filter names \`${field}\`, but the index was made so that only some metadata keys can be filtered by, and ` +
      `\`${name}\` is not one of them.`,
  );
}

/** Each must hold for the field. */
function testsOf(condition: CheckedCondition): readonly ServiceFilter[] | "nothing" {
  const { type, field } = condition;
  if (condition.kind === "compare") {
    if (typeof condition.value !== "number") throw notANumber(condition);
    return [{ [operators[condition.operator]]: condition.value }];
  }
  const values = [...new Set(condition.values)];
  if (values.length > serviceLimits.filterValues) {
    throw new Fault(
      "config.invalid",
      `The filter names ${values.length} values for \`${field}\`; Pinecone takes ${serviceLimits.filterValues}.`,
    );
  }
  if (condition.kind === "any") return values.length === 0 ? "nothing" : [anyOf(type, values)];
  // Whatever is not equal meets `$ne` and `$nin`, also a record without the field.
  const there = { $exists: true };
  return values.length === 0 ? [there] : [there, ...noneOf(type, values)];
}

/** `$in` takes no booleans. */
function anyOf(type: FieldType, values: readonly Scalar[]): ServiceFilter {
  if (type !== "boolean") return { $in: values };
  return values.length > 1 ? { $exists: true } : { $eq: values[0] };
}

function noneOf(type: FieldType, values: readonly Scalar[]): readonly ServiceFilter[] {
  return type === "boolean" ? values.map((value) => ({ $ne: value })) : [{ $nin: values }];
}

const operators = { "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte" } as const;

function notANumber({ field, type }: CheckedCondition): Fault {
  return new Fault(
    "config.invalid",
    `Pinecone compares numbers and times only, and \`${field}\` is of type ${type}. Use \`=\`, \`!=\` or \`in\`.`,
  );
}
