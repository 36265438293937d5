import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { consistencyLevels, writeVector, type WireTarget } from "./wire-batch.ts";
import { writeFilter, type WireFilter } from "./wire-filter.ts";

export interface WireSearch {
  /** Properties that are wanted. */
  readonly properties: readonly string[];
  /** The vector that is wanted, or searched with; `undefined` as a name is the one without a name. */
  readonly vectorName: string | undefined;
  readonly withVectors: boolean;
  readonly limit: number;
  /** Only objects with a larger id, in the order of ids; empty to begin. Not together with a filter. */
  readonly after?: string;
  readonly filter?: WireFilter;
  /** The nearest to this vector, the nearest first. */
  readonly near?: Float32Array;
}

export interface WireHit {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly vector: Float32Array | undefined;
  readonly distance: number | undefined;
}

/** The message of `Search`. */
export function encodeSearch(target: WireTarget, search: WireSearch): Buffer {
  const writer = new ProtobufWriter();
  writer.text(1, target.collection);
  if (target.tenant !== undefined) writer.text(10, target.tenant);
  writer.integer(11, consistencyLevels[target.consistency]);
  writer.message(20, () => {
    for (const name of search.properties) writer.text(1, name);
  });
  writer.message(21, () => {
    writer.boolean(1, true);
    if (search.near !== undefined) writer.boolean(5, true);
    if (!search.withVectors) return;
    if (search.vectorName === undefined) writer.boolean(2, true);
    else writer.text(10, search.vectorName);
  });
  writer.integer(30, search.limit);
  if (search.after !== undefined) writer.text(33, search.after);
  if (search.filter !== undefined) writeFilter(writer, 40, search.filter);
  if (search.near !== undefined) writeNear(writer, search.vectorName, search.near);
  // The newest form of answers.
  for (const field of [100, 101, 102]) writer.boolean(field, true);
  return writer.finish();
}

function writeNear(
  writer: ProtobufWriter,
  vectorName: string | undefined,
  vector: Float32Array,
): void {
  writer.message(43, () => {
    if (vectorName === undefined) {
      writer.floats(4, vector);
      return;
    }
    writer.message(6, () => writer.text(1, vectorName));
    writer.message(8, () => {
      writer.text(1, vectorName);
      writer.message(3, () => writeVector(writer, vectorName, vector));
    });
  });
}

/** The objects of an answer. */
export function decodeSearch(answer: Buffer): WireHit[] {
  const hits: WireHit[] = [];
  const reader = new ProtobufReader(answer);
  while (reader.next()) if (reader.field === 2) hits.push(readHit(reader.message()));
  return hits;
}

function readHit(reader: ProtobufReader): WireHit {
  let properties: Readonly<Record<string, unknown>> = {};
  let metadata: Omit<WireHit, "properties"> = { id: "", vector: undefined, distance: undefined };
  while (reader.next()) {
    if (reader.field === 1) properties = readResult(reader.message());
    else if (reader.field === 2) metadata = readMetadata(reader.message());
  }
  return { ...metadata, properties };
}

function readMetadata(reader: ProtobufReader): Omit<WireHit, "properties"> {
  let id = "";
  let vector: Float32Array | undefined;
  let distance: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) id = reader.text();
    else if (reader.field === 7) distance = reader.float();
    // A distance of zero is not sent, only that there is one.
    else if (reader.field === 8 && reader.boolean()) distance ??= 0;
    else if (reader.field === 19) vector = floatsOf(reader.bytes());
    else if (reader.field === 23) {
      const named = reader.message();
      while (named.next()) if (named.field === 3) vector = floatsOf(named.bytes());
    }
  }
  return { id, vector: vector?.length === 0 ? undefined : vector, distance };
}

/** A copy: the bytes lie anywhere, and are a view of the whole answer. */
function floatsOf(bytes: Buffer): Float32Array {
  const floats = new Float32Array(bytes.length / 4);
  for (let index = 0; index < floats.length; index += 1) {
    floats[index] = bytes.readFloatLE(index * 4);
  }
  return floats;
}

function readResult(reader: ProtobufReader): Readonly<Record<string, unknown>> {
  const properties: Record<string, unknown> = {};
  while (reader.next()) {
    if (reader.field !== 11) continue;
    const fields = reader.message();
    while (fields.next()) {
      const entry = fields.message();
      let name = "";
      let value: unknown;
      while (entry.next()) {
        if (entry.field === 1) name = entry.text();
        else if (entry.field === 2) value = readValue(entry.message());
      }
      if (value !== undefined) properties[name] = value;
    }
  }
  return properties;
}

/** A value of a property; undefined for null and for kinds that no record has. */
function readValue(reader: ProtobufReader): unknown {
  while (reader.next()) {
    if (reader.field === 1) return reader.double();
    if (reader.field === 3) return reader.boolean();
    if (reader.field === 5) return readList(reader.message());
    if ([6, 7, 13].includes(reader.field)) return reader.text();
    if (reader.field === 8) return reader.long();
  }
  return undefined;
}

/** A list of texts; undefined for lists of other kinds. */
function readList(reader: ProtobufReader): string[] | undefined {
  while (reader.next()) {
    if (![5, 6, 8].includes(reader.field)) continue;
    const texts: string[] = [];
    const values = reader.message();
    while (values.next()) texts.push(values.text());
    return texts;
  }
  return undefined;
}

/** The message of `Aggregate` that asks for a count. */
export function encodeCount(target: WireTarget, filter: WireFilter | undefined): Buffer {
  const writer = new ProtobufWriter();
  writer.text(1, target.collection);
  if (target.tenant !== undefined) writer.text(10, target.tenant);
  writer.boolean(20, true);
  if (filter !== undefined) writeFilter(writer, 40, filter);
  return writer.finish();
}

export function decodeCount(answer: Buffer): number {
  const reader = new ProtobufReader(answer);
  let count = 0;
  while (reader.next()) {
    if (reader.field !== 2) continue;
    const single = reader.message();
    while (single.next()) if (single.field === 1) count = single.long();
  }
  return count;
}
