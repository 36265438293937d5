import type * as Arrow from "apache-arrow";
import type { CollectionDescription, Metric } from "../../../src/contracts/index.ts";
import type { Column, ColumnType, Layout } from "../../../src/records/layout.ts";
import { metricKey } from "./marker.ts";
import type { Native } from "./native.ts";

/** A column of the layout that the live table has. */
export interface LiveColumn {
  readonly column: Column;
  readonly field: Arrow.Field;
}

/** What the live schema says about records of this pipeline. */
export interface LiveSchema {
  readonly dimension: number | undefined;
  readonly elementType: CollectionDescription["elementType"];
  readonly columns: readonly LiveColumn[];
  /** Columns of the layout that the table lacks. */
  readonly missing: readonly Column[];
  /** Why records do not fit, one sentence each. */
  readonly misfits: readonly string[];
}

/** The schema of a table that sluice makes. */
export function createSchema(
  { arrow }: Native,
  layout: Layout,
  dimension: number,
  metric: Metric,
): Arrow.Schema {
  return new arrow.Schema(
    layout.columns.map((column) => {
      const type = createType(arrow, column.type, dimension);
      const metadata = column.field === "id" ? new Map([[metricKey, metric]]) : undefined;
      return new arrow.Field(column.name, type, !column.required, metadata);
    }),
  );
}

/** A column to be added to a table that sluice made, for a field declared since. */
export function createField({ arrow }: Native, column: Column): Arrow.Field {
  return new arrow.Field(column.name, createType(arrow, column.type, 0), true);
}

function createType(arrow: typeof Arrow, type: ColumnType, dimension: number): Arrow.DataType {
  switch (type) {
    case "vector":
      return new arrow.FixedSizeList(dimension, new arrow.Field("item", new arrow.Float32(), true));
    case "string":
    case "json":
      return new arrow.Utf8();
    case "string_list":
      return new arrow.List(new arrow.Field("item", new arrow.Utf8(), true));
    case "integer":
      return new arrow.Int64();
    case "float":
      return new arrow.Float64();
    case "boolean":
      return new arrow.Bool();
    case "timestamp":
      return new arrow.TimestampMillisecond();
  }
}

/** Compares the live schema with the layout. `ours`: sluice made the table and may add columns to it. */
export function readSchema(
  { arrow }: Native,
  layout: Layout,
  schema: Arrow.Schema,
  ours: boolean,
): LiveSchema {
  const byName = new Map(schema.fields.map((field) => [field.name, field]));
  const columns: LiveColumn[] = [];
  const missing: Column[] = [];
  const misfits: string[] = [];
  for (const column of layout.columns) {
    const field = byName.get(column.name);
    if (field === undefined) {
      missing.push(column);
      const addable = (ours && !column.required) || column.field === "position";
      if (!addable) misfits.push(missingSentence(arrow, column, schema));
      continue;
    }
    const misfit = misfitOf(arrow, column, field);
    if (misfit !== undefined) misfits.push(misfit);
    columns.push({ column, field });
  }
  misfits.push(...requiredByOthers(layout, schema));
  const vector = columns.find(({ column }) => column.type === "vector")?.field.type;
  return { ...shapeOf(arrow, vector), columns, missing, misfits };
}

function missingSentence(arrow: typeof Arrow, column: Column, schema: Arrow.Schema): string {
  if (column.type !== "vector") {
    const way = column.required ? "Map it" : "Map it, or leave the field out";
    return `No column \`${column.name}\` for \`${column.field}\`. ${way} with \`fields\`${
      column.required ? "" : " or `omit`"
    }.`;
  }
  const vectors = schema.fields.filter((field) => arrow.DataType.isFixedSizeList(field.type));
  const names = vectors.map((field) => `\`${field.name}\` (${String(field.type)})`).join(", ");
  const there = vectors.length === 0 ? "The table has no vector column." : `There is ${names}.`;
  return `No column \`${column.name}\` for \`vector\`. ${there}`;
}

function misfitOf(arrow: typeof Arrow, column: Column, field: Arrow.Field): string | undefined {
  if (!accepts(arrow, column, field.type)) {
    return `The column \`${field.name}\` holds ${String(field.type)}, expected ${expected[column.type]}.`;
  }
  if (field.nullable || column.required) return undefined;
  return `The column \`${field.name}\` must not be null, but not every record has \`${column.field}\`.`;
}

const expected: Readonly<Record<ColumnType, string>> = {
  vector: "a fixed-size list of float32 or float16",
  string: "Utf8",
  json: "Utf8",
  string_list: "a list of Utf8",
  integer: "Int64 or Int32",
  float: "Float64",
  boolean: "Bool",
  timestamp: "a timestamp in milliseconds or microseconds",
};

function accepts(arrow: typeof Arrow, column: Column, type: Arrow.DataType): boolean {
  const { DataType, TimeUnit } = arrow;
  switch (column.type) {
    case "vector":
      // Other element types are refused by the dimension contract, by name.
      return shapeOf(arrow, type).dimension !== undefined;
    case "string":
    case "json":
      return DataType.isUtf8(type);
    case "string_list":
      return DataType.isList(type) && DataType.isUtf8(type.valueType);
    case "integer":
      // Declared integers may have 53 bits.
      return DataType.isInt(type) && type.isSigned && type.bitWidth >= (column.declared ? 64 : 32);
    case "float":
      return DataType.isFloat(type) && type.precision === arrow.Precision.DOUBLE;
    case "boolean":
      return DataType.isBool(type);
    case "timestamp":
      return (
        DataType.isTimestamp(type) &&
        (type.unit === TimeUnit.MILLISECOND || type.unit === TimeUnit.MICROSECOND)
      );
  }
}

function requiredByOthers(layout: Layout, schema: Arrow.Schema): readonly string[] {
  const ours = new Set(layout.columns.map((column) => column.name));
  return schema.fields
    .filter((field) => !ours.has(field.name) && !field.nullable)
    .map((field) => `The column \`${field.name}\` needs a value, and no record has one.`);
}

/** Dimension and element type of a vector column. */
function shapeOf(
  arrow: typeof Arrow,
  type: Arrow.DataType | undefined,
): Pick<LiveSchema, "dimension" | "elementType"> {
  const { DataType, Precision } = arrow;
  if (type !== undefined && DataType.isList(type) && DataType.isFixedSizeList(type.valueType)) {
    return { dimension: type.valueType.listSize, elementType: "multivector" };
  }
  if (type === undefined || !DataType.isFixedSizeList(type)) {
    return { dimension: undefined, elementType: "float32" };
  }
  const { listSize: dimension, valueType } = type;
  if (DataType.isInt(valueType)) {
    return { dimension, elementType: valueType.isSigned ? "int8" : "binary" };
  }
  if (DataType.isFloat(valueType) && valueType.precision === Precision.SINGLE) {
    return { dimension, elementType: "float32" };
  }
  if (DataType.isFloat(valueType) && valueType.precision === Precision.HALF) {
    return { dimension, elementType: "float16" };
  }
  return { dimension: undefined, elementType: "float32" };
}
