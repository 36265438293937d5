import type { Json } from "../../contracts/index.ts";
import { Fields } from "./fields.ts";
import { isList } from "./json.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import type {
  PineconeMetadata,
  PineconeMetadataValue,
  PineconeRecord,
  PineconeSparseValues,
} from "./record.ts";
import { Refusal } from "./refusal.ts";

/** What vectors an index takes: dense ones of one length, or sparse ones. */
export interface VectorShape {
  /** Undefined in a sparse index. */
  readonly dimension: number | undefined;
}

/** Reads one record of an upsert; refuses what the index does not take. */
export function readRecord(value: Json, path: string, shape: VectorShape): PineconeRecord {
  const fields = new Fields(value, path, "data", ["id", "values", "sparseValues", "metadata"]);
  const id = checkId(fields.string("id") ?? "");
  const values = readValues(fields, "values") ?? new Float32Array();
  checkValues(values, id, shape);
  const sparseValues = readSparseValues(fields, "sparseValues");
  if (shape.dimension === undefined && sparseValues === undefined) {
    throw new Refusal(400, `Sparse vector must contain at least one value. Vector ID '${id}'`);
  }
  const metadata = readMetadata(fields, "metadata");
  checkMetadataSize(metadata);
  return {
    id,
    values,
    ...(sparseValues === undefined ? {} : { sparseValues }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

export function checkId(id: string): string {
  if (id === "") throw new Refusal(400, "Vector ID must not be empty");
  if (id.includes("\0")) throw new Refusal(400, messages.idNull);
  if (!isAscii(id)) throw new Refusal(400, messages.idNotAscii(id));
  if (id.length > limits.idLength) {
    const most = `Vector ID must be at most ${limits.idLength} characters long`;
    throw new Refusal(400, `${most}, but got ${id.length}`);
  }
  return id;
}

/** A namespace's name; `__default__` when none is given. */
export function checkNamespace(name: string | undefined): string {
  if (name === undefined || name === "") return defaultNamespace;
  if (!isAscii(name) || name.includes("\0") || name.length > limits.namespaceLength) {
    const rule = `1 to ${limits.namespaceLength} ASCII characters other than NUL`;
    throw new Refusal(400, `Namespace must be ${rule}, but got '${name.slice(0, 100)}'`);
  }
  return name;
}

export const defaultNamespace = "__default__";

/** Refuses vectors of another length, and vectors of zeros. */
export function checkValues(values: Float32Array, id: string, { dimension }: VectorShape): void {
  if (dimension === undefined) {
    if (values.length === 0) return;
    throw new Refusal(400, `A sparse index takes no dense values. Vector ID '${id}'`);
  }
  checkLength(values, dimension);
  if (values.every((value) => Math.abs(value) < limits.smallestValue)) {
    throw new Refusal(400, messages.zeros(id));
  }
}

export function checkLength(values: Float32Array, dimension: number): void {
  if (values.length === dimension) return;
  throw new Refusal(400, messages.dimension(values.length, dimension));
}

/** Numbers as float32. Null, which JSON makes of NaN, is refused, and so is what float32 cannot hold. */
export function readValues(fields: Fields, name: string): Float32Array | undefined {
  const list = fields.list(name);
  if (list === undefined) return undefined;
  const values = new Float32Array(list.length);
  for (let index = 0; index < list.length; index += 1) {
    const value = list[index] ?? null;
    const float = typeof value === "number" ? Math.fround(value) : Number.NaN;
    if (!Number.isFinite(float)) {
      const place = `${fields.at(name)}[${index}]`;
      throw new Refusal(
        400,
        `${place}: invalid value ${JSON.stringify(value)} for type TYPE_FLOAT`,
      );
    }
    values[index] = float;
  }
  return values;
}

export function readSparseValues(fields: Fields, name: string): PineconeSparseValues | undefined {
  const sparse = fields.fields(name, ["indices", "values"]);
  if (sparse === undefined) return undefined;
  const indices = (sparse.list("indices") ?? []).map((index) => {
    if (typeof index === "number" && Number.isInteger(index) && index >= 0 && index < 2 ** 32) {
      return index;
    }
    const place = sparse.at("indices");
    throw new Refusal(400, `${place}: invalid value ${JSON.stringify(index)} for type TYPE_UINT32`);
  });
  const values = readValues(sparse, "values") ?? new Float32Array();
  if (indices.length !== values.length) {
    throw new Refusal(400, `${fields.at(name)}: indices and values must have the same length`);
  }
  if (new Set(indices).size !== indices.length) {
    throw new Refusal(400, `${fields.at(name)}: indices must be unique`);
  }
  if (indices.length === 0 || indices.length > limits.sparseValues) {
    const rule = `must contain 1 to ${limits.sparseValues} values`;
    throw new Refusal(400, `${fields.at(name)} ${rule}, got ${indices.length}`);
  }
  return { indices, values };
}

export function readMetadata(fields: Fields, name: string): PineconeMetadata | undefined {
  const metadata = fields.anyObject(name);
  if (metadata === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(metadata).map(([field, value]) => {
      if (field.startsWith("$")) throw new Refusal(400, messages.metadataKey(field));
      if (!isMetadataValue(value)) throw new Refusal(400, messages.metadataValue(value, field));
      return [field, value];
    }),
  );
}

/** The service counts metadata as a record would have it after an update. */
export function checkMetadataSize(metadata: PineconeMetadata | undefined): void {
  const bytes = metadataBytes(metadata);
  if (bytes > limits.metadataBytes) throw new Refusal(400, messages.metadataSize(bytes));
}

export function metadataBytes(metadata: PineconeMetadata | undefined): number {
  return metadata === undefined ? 0 : Buffer.byteLength(JSON.stringify(metadata));
}

function isMetadataValue(value: Json): value is PineconeMetadataValue {
  if (isList(value)) return value.every((item) => typeof item === "string");
  return ["string", "number", "boolean"].includes(typeof value);
}

/** Whether UTF-8 needs one byte for each UTF-16 unit. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** What a list of more than 1,000 is refused with. */
export function tooMany(what: string, list: readonly unknown[]): string {
  return `Got ${list.length} ${what}, which exceeds the maximum of ${limits.records}`;
}
