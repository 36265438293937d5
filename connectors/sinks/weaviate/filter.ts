import { Fault } from "../../../src/faults/index.ts";
import type { CheckedCondition } from "../../../src/records/filter.ts";
import { isWhole, type LiveColumn } from "./live-schema.ts";
import { isStorableTime, nearestStorableTime, toDate } from "./times.ts";
import type { WireFilter, WireValue } from "./wire-filter.ts";

type Scalar = string | number | boolean;

/** A filter that lets everything, or nothing, through needs no question to the server. */
export type CompiledFilter = WireFilter | "everything" | "nothing";

/** Turns conditions into the server's filter. Rejects with `config.invalid` where a property cannot be compared. */
export function compileFilter(
  conditions: readonly CheckedCondition[],
  columns: readonly LiveColumn[],
): CompiledFilter {
  const operands: WireFilter[] = [];
  for (const condition of conditions) {
    const live = columns.find(({ column }) => column.field === condition.field);
    const compiled = live === undefined ? "nothing" : compileCondition(condition, live);
    if (compiled === "nothing") return "nothing";
    operands.push(compiled);
  }
  const [first] = operands;
  if (first === undefined) return "everything";
  return operands.length === 1 ? first : { operator: "and", operands };
}

function compileCondition(condition: CheckedCondition, live: LiveColumn): WireFilter | "nothing" {
  const { property } = live;
  if (!isWhole(property)) {
    throw new Fault(
      "config.invalid",
      `The property \`${property.name}\` cannot be compared with a filter: it is not indexed for filters, or word by ` +
        "word. Create it with the tokenization `field`, or leave `" +
        `${condition.field}\` out of the filter.`,
    );
  }
  if (condition.kind === "compare") return compare(condition, live);
  const equals = condition.values.flatMap((value) => equal(live, value) ?? []);
  if (condition.kind === "any") {
    return equals.length === 0 ? "nothing" : anyOf(equals);
  }
  // `not-equal` alone also lets objects through that have no value.
  const unequal = equals.map((filter): WireFilter =>
    "value" in filter ? { ...filter, operator: "not-equal" } : filter,
  );
  return { operator: "and", operands: [present(live), ...unequal] };
}

function anyOf(filters: readonly WireFilter[]): WireFilter {
  const [first] = filters;
  if (first !== undefined && filters.length === 1) return first;
  return { operator: "or", operands: filters };
}

/** Undefined when no stored value can equal it. */
function equal(live: LiveColumn, value: Scalar): WireFilter | undefined {
  if (live.type === "int" && !Number.isSafeInteger(value)) return undefined;
  if (live.type === "date" && !isStorableTime(Number(value))) return undefined;
  return { operator: "equal", property: live.property.name, value: wireValue(live, value) };
}

/** A value at or above the smallest one there can be. */
function present(live: LiveColumn): WireFilter {
  const smallest: Readonly<Record<string, Scalar>> = {
    boolean: false,
    date: nearestStorableTime(-Infinity),
    int: Number.MIN_SAFE_INTEGER,
    number: -Number.MAX_VALUE,
  };
  return {
    operator: "greater-or-equal",
    property: live.property.name,
    value: wireValue(live, smallest[live.type] ?? ""),
  };
}

const operators = {
  "<": "less",
  "<=": "less-or-equal",
  ">": "greater",
  ">=": "greater-or-equal",
} as const;

function compare(
  { operator, value }: CheckedCondition & { readonly kind: "compare" },
  live: LiveColumn,
): WireFilter | "nothing" {
  const wanted = operators[operator];
  const property = live.property.name;
  if (live.type === "date" && !isStorableTime(Number(value))) {
    const isBeyond = Number(value) > 0;
    return isBeyond === operator.startsWith("<") ? present(live) : "nothing";
  }
  if (live.type === "int" && !Number.isSafeInteger(value)) {
    return compareInteger(operator, Number(value), live);
  }
  return { operator: wanted, property, value: wireValue(live, value) };
}

/** The server takes no fractions for integers: `> 1.5` is `>= 2`, and `< 1.5` is `<= 1`. */
function compareInteger(
  operator: keyof typeof operators,
  value: number,
  live: LiveColumn,
): WireFilter | "nothing" {
  const isLess = operator.startsWith("<");
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return value > 0 === isLess ? present(live) : "nothing";
  }
  return {
    operator: isLess ? "less-or-equal" : "greater-or-equal",
    property: live.property.name,
    value: wireValue(live, isLess ? Math.floor(value) : Math.ceil(value)),
  };
}

function wireValue({ type }: LiveColumn, value: Scalar): WireValue {
  if (type === "date") return { kind: "text", value: toDate(Number(value)) };
  if (typeof value === "string") return { kind: "text", value };
  if (typeof value === "boolean") return { kind: "boolean", value };
  return { kind: type === "int" ? "integer" : "number", value };
}
