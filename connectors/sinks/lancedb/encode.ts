import type * as Arrow from "apache-arrow";
import type { Json, VectorRecord } from "../../../src/contracts/index.ts";
import { toFloat16 } from "../../../src/records/float16.ts";
import { valueOf } from "../../../src/records/layout.ts";
import type { Native } from "./native.ts";
import type { LiveColumn } from "./schema.ts";

type Values = readonly (Json | undefined)[];

/**
 * One Arrow batch of records in the live table's own types. Arrays are filled directly: Arrow's builders cost more
 * than the write itself. The lengths of the vectors were checked before.
 */
export function encodeRecords(
  { arrow }: Native,
  columns: readonly LiveColumn[],
  dimension: number,
  records: readonly VectorRecord[],
): Arrow.Table {
  const fields = columns.map(({ field }) => field);
  const children = columns.map(({ column, field }) => {
    if (column.type === "vector") return encodeVectors(arrow, field.type, dimension, records);
    const values = records.map((record) => valueOf(record, column));
    return encodeValues(arrow, field.type, values);
  });
  const schema = new arrow.Schema(fields);
  const type = new arrow.Struct(fields);
  const data = arrow.makeData({ type, length: records.length, nullCount: 0, children });
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
}

function encodeVectors(
  arrow: typeof Arrow,
  type: Arrow.DataType,
  dimension: number,
  records: readonly VectorRecord[],
): Arrow.Data {
  const list = type as Arrow.FixedSizeList<Arrow.Float32 | Arrow.Float16>;
  const length = records.length * dimension;
  const half = list.valueType.precision === arrow.Precision.HALF;
  const data = half ? new Uint16Array(length) : new Float32Array(length);
  let offset = 0;
  for (const { vector } of records) {
    data.set(half ? Uint16Array.from(vector, toFloat16) : vector, offset);
    offset += dimension;
  }
  const child = arrow.makeData({
    type: list.valueType as Arrow.Float32,
    length,
    nullCount: 0,
    data,
  });
  return arrow.makeData({ type: list, length: records.length, nullCount: 0, child });
}

function encodeValues(arrow: typeof Arrow, type: Arrow.DataType, values: Values): Arrow.Data {
  const { DataType } = arrow;
  const base = { length: values.length, ...encodeNulls(values) };
  if (DataType.isUtf8(type)) return arrow.makeData({ type, ...base, ...encodeTexts(values) });
  if (DataType.isList(type)) {
    const { valueOffsets, items } = flatten(values);
    const list = type as Arrow.List<Arrow.Utf8>;
    const child = encodeValues(arrow, list.valueType, items) as Arrow.Data<Arrow.Utf8>;
    return arrow.makeData<Arrow.List<Arrow.Utf8>>({ type: list, ...base, valueOffsets, child });
  }
  if (DataType.isBool(type)) return encodeBooleans(arrow, type, values);
  if (DataType.isFloat(type)) {
    return arrow.makeData({ type, ...base, data: Float64Array.from(values, toNumber) });
  }
  if (DataType.isTimestamp(type)) {
    const scale = type.unit === arrow.TimeUnit.MICROSECOND ? 1000n : 1n;
    const data = toBigInts(values, scale);
    return arrow.makeData({ type, ...base, data });
  }
  const integer = type as Arrow.Int32 | Arrow.Int64;
  return integer.bitWidth === 64
    ? arrow.makeData({
        type: integer as Arrow.Int64,
        ...base,
        data: toBigInts(values, 1n),
      })
    : arrow.makeData({
        type: integer as Arrow.Int32,
        ...base,
        data: Int32Array.from(values, toNumber),
      });
}

/**
 * Arrow's writer leaves out the bits of a column that is all null, and the driver refuses what it then gets. Bytes in
 * their place are laid out as a longer run of bits, and are written.
 */
function encodeBooleans(arrow: typeof Arrow, type: Arrow.Bool, values: Values): Arrow.Data {
  const base = { length: values.length, ...encodeNulls(values) };
  if (base.nullCount < values.length) {
    return arrow.makeData({ type, ...base, data: encodeBits(values) });
  }
  return arrow.makeData({ type: new arrow.Uint8(), ...base, data: new Uint8Array(values.length) });
}

function toBigInts(values: Values, scale: bigint): BigInt64Array {
  const data = new BigInt64Array(values.length);
  for (const [index, value] of values.entries()) data[index] = BigInt(toNumber(value)) * scale;
  return data;
}

function toNumber(value: Json | undefined): number {
  return typeof value === "number" ? value : 0;
}

function encodeNulls(values: Values): { nullCount: number; nullBitmap?: Uint8Array } {
  const nullCount = values.reduce<number>((sum, value) => sum + (value === undefined ? 1 : 0), 0);
  if (nullCount === 0) return { nullCount };
  return { nullCount, nullBitmap: encodeBits(values.map((value) => value !== undefined)) };
}

function encodeBits(values: Values): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (const [index, value] of values.entries()) {
    if (value === true) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return bits;
}

function encodeTexts(values: Values): { valueOffsets: Int32Array; data: Uint8Array } {
  let capacity = 0;
  for (const value of values) capacity += typeof value === "string" ? value.length * 3 : 0;
  const buffer = Buffer.allocUnsafe(capacity);
  const valueOffsets = new Int32Array(values.length + 1);
  let end = 0;
  for (const [index, value] of values.entries()) {
    if (typeof value === "string") end += buffer.write(value, end);
    valueOffsets[index + 1] = end;
  }
  // A copy, so that the spare room does not live as long as the batch.
  return { valueOffsets, data: new Uint8Array(buffer.subarray(0, end)) };
}

function flatten(values: Values): { valueOffsets: Int32Array; items: Values } {
  const valueOffsets = new Int32Array(values.length + 1);
  const items: Json[] = [];
  for (const [index, value] of values.entries()) {
    if (Array.isArray(value)) for (const item of value) items.push(item);
    valueOffsets[index + 1] = items.length;
  }
  return { valueOffsets, items };
}
