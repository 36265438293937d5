import type { ProtobufWriter } from "./protobuf-writer.ts";

/** Numbers of the operators in the protocol. */
const operators = {
  equal: 1,
  "not-equal": 2,
  greater: 3,
  "greater-or-equal": 4,
  less: 5,
  "less-or-equal": 6,
  and: 7,
  or: 8,
  "contains-any": 12,
} as const;

/** The value of a condition, in the type of its property. */
export type WireValue =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "texts"; readonly value: readonly string[] };

/** A filter as the server knows it. `id` as a property is the object's id. */
export type WireFilter =
  | {
      readonly operator: Exclude<keyof typeof operators, "and" | "or">;
      readonly property: string;
      readonly value: WireValue;
    }
  | { readonly operator: "and" | "or"; readonly operands: readonly WireFilter[] };

/** Writes a filter as the field of a message. */
export function writeFilter(writer: ProtobufWriter, field: number, filter: WireFilter): void {
  writer.message(field, () => {
    writer.integer(1, operators[filter.operator]);
    if ("operands" in filter) {
      for (const operand of filter.operands) writeFilter(writer, 3, operand);
      return;
    }
    writeValue(writer, filter.value);
    writer.message(20, () => writer.text(1, filter.property));
  });
}

function writeValue(writer: ProtobufWriter, value: WireValue): void {
  if (value.kind === "text") writer.text(4, value.value);
  else if (value.kind === "integer") writer.long(5, value.value);
  else if (value.kind === "boolean") writer.boolean(6, value.value);
  else if (value.kind === "number") writer.double(7, value.value);
  else {
    writer.message(9, () => {
      for (const text of value.value) writer.text(1, text);
    });
  }
}
