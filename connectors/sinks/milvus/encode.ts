import type { Json, VectorRecord } from "../../../src/contracts/index.ts";
import { toFloat16 } from "../../../src/records/float16.ts";
import { toBfloat16 } from "./bfloat16.ts";
import { lengthField, numberField } from "./protobuf.ts";
import { isJson, type Row } from "./rows.ts";
import type { LiveSchema, Place } from "./schema.ts";

/** Rows as an upsert takes them: by column. */
export interface Columns {
  readonly num_rows: number;
  readonly fields_data: readonly object[];
}

/** Everything of the rows but the vectors. */
export function encodeColumns(live: LiveSchema, rows: readonly Row[]): Columns {
  const fields = live.places.filter((place) => place.kind === "field");
  const columns = fields.map((place, index) =>
    encodeColumn(
      place,
      rows.map(({ values }) => values[index]),
    ),
  );
  if (live.dynamic) {
    const data = rows.map((row) => Buffer.from(row.dynamic));
    columns.push({
      type: "JSON",
      field_name: "$meta",
      is_dynamic: true,
      scalars: { json_data: { data } },
    });
  }
  return { num_rows: rows.length, fields_data: columns };
}

function encodeColumn(
  place: Place & { readonly kind: "field" },
  values: readonly (Json | undefined)[],
): object {
  const { field } = place;
  const valid = values.map((value) => value !== undefined);
  const present = values.filter((value) => value !== undefined);
  return {
    type: field.data_type,
    field_name: field.name,
    scalars: isJson(place)
      ? { json_data: { data: present.map((value) => Buffer.from(String(value))) } }
      : encodeScalars(field.data_type, field.element_type, present),
    valid_data: field.nullable ? valid : [],
  };
}

function encodeScalars(type: string, elementType: string, data: readonly Json[]): object {
  switch (type) {
    case "Bool":
      return { bool_data: { data } };
    case "Int32":
      return { int_data: { data } };
    case "Int64":
      return { long_data: { data } };
    case "Double":
      return { double_data: { data } };
    case "Array": {
      const lists = data.map((items) => encodeScalars(elementType, "None", items as Json[]));
      return { array_data: { data: lists, element_type: elementType } };
    }
    default:
      return { string_data: { data } };
  }
}

/** Where a request has its columns, and the numbers of a vector column's parts in Milvus' protocol. */
const columnsOfUpsert = 5;
const part = { type: 1, name: 2, vectors: 4, dimension: 1 } as const;
const vectorKinds = {
  FloatVector: { type: 101, part: 2 },
  Float16Vector: { type: 102, part: 4 },
  BFloat16Vector: { type: 103, part: 5 },
} as const;

/**
 * The column of the vectors, encoded as a part of the request: the bytes as they are in memory. The client's own
 * encoder turns each number over several times, which took most of a write's time.
 */
export function encodeVectors(
  { name, data_type: type }: { readonly name: string; readonly data_type: string },
  dimension: number,
  records: readonly VectorRecord[],
): Buffer {
  const kind = isFloatType(type) ? vectorKinds[type] : vectorKinds.FloatVector;
  const bytes = records.map(({ vector }) => toBytes(type, vector));
  const numbers =
    type === "FloatVector"
      ? lengthField(kind.part, lengthField(1, ...bytes))
      : lengthField(kind.part, ...bytes);
  return lengthField(
    columnsOfUpsert,
    numberField(part.type, kind.type),
    lengthField(part.name, Buffer.from(name)),
    lengthField(part.vectors, numberField(part.dimension, dimension), numbers),
  );
}

function isFloatType(type: string): type is keyof typeof vectorKinds {
  return Object.hasOwn(vectorKinds, type);
}

/** The numbers as a field of this type keeps them, little-endian. */
export function toBytes(type: string, vector: Float32Array): Uint8Array {
  if (type === "Float16Vector") return halves(vector, toFloat16);
  if (type === "BFloat16Vector") return halves(vector, toBfloat16);
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

function halves(vector: Float32Array, round: (value: number) => number): Uint8Array {
  return new Uint8Array(Uint16Array.from(vector, round).buffer);
}

/** The type of a vector in a search. */
export function vectorType(type: string): number {
  return isFloatType(type) ? vectorKinds[type].type : vectorKinds.FloatVector.type;
}
