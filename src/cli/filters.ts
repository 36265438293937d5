import type { FilterCondition } from "../contracts/index.ts";
import { usageFault } from "./command.ts";

const form = /^\s*([A-Za-z_]\w*)\s*(!=|<=|>=|=|<|>)(.*)$/s;

/**
 * Reads `key=value`, with `!=`, `<`, `<=`, `>`, `>=`; `key=a,b` means any of them, `\,` is a comma. The value's type is
 * that of the field; the sink converts it.
 */
export function parseFilter(text: string): FilterCondition {
  const [, field, operator, rest] = form.exec(text) ?? [];
  if (field === undefined || operator === undefined || rest === undefined) {
    throw usageFault(
      `The filter \`${text}\` is not of the form key=value (or !=, <, <=, >, >= instead of =).`,
    );
  }
  const values = splitValues(rest);
  const [first = ""] = values;
  const known = operator as FilterCondition["operator"];
  if (values.length === 1) return { field, operator: known, value: first };
  if (operator === "=") return { field, operator: "in", value: values };
  if (operator === "!=") return { field, operator: "!=", value: values };
  throw usageFault(`The filter \`${text}\` compares with a list; give one value.`);
}

function splitValues(text: string): string[] {
  return text.split(/(?<!\\),/).map((value) => value.replaceAll(String.raw`\,`, ",").trim());
}
