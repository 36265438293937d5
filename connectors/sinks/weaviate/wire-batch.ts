import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { writeFilter, type WireFilter } from "./wire-filter.ts";

/** What a property of an object may hold; numbers are doubles on the wire. */
export type PropertyValue = string | number | boolean | readonly string[];

export interface WireObject {
  readonly id: string;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly vector?: Float32Array;
}

/** Which collection a call is about, and how many replicas must take part. */
export interface WireTarget {
  readonly collection: string;
  readonly tenant: string | undefined;
  readonly consistency: keyof typeof consistencyLevels;
}

export const consistencyLevels = { one: 1, quorum: 2, all: 3 } as const;

/** The message of `BatchObjects`. `vectorName` is undefined where the collection has one vector without a name. */
export function encodeObjects(
  target: WireTarget,
  vectorName: string | undefined,
  objects: readonly WireObject[],
): Buffer {
  const dimension = objects[0]?.vector?.length ?? 0;
  const writer = new ProtobufWriter(objects.length * (dimension * 4 + 2_048) + 64);
  for (const { id, properties, vector } of objects) {
    writer.message(1, () => {
      writer.text(1, id);
      writer.message(3, () => writeProperties(writer, properties));
      writer.text(4, target.collection);
      if (target.tenant !== undefined) writer.text(5, target.tenant);
      if (vector === undefined) return;
      if (vectorName === undefined) writer.floats(6, vector);
      else writer.message(23, () => writeVector(writer, vectorName, vector));
    });
  }
  writer.integer(2, consistencyLevels[target.consistency]);
  return writer.finish();
}

/** Writes a vector with its name. */
export function writeVector(writer: ProtobufWriter, name: string, vector: Float32Array): void {
  writer.text(1, name);
  writer.floats(3, vector);
  writer.integer(4, 1);
}

function writeProperties(
  writer: ProtobufWriter,
  properties: Readonly<Record<string, PropertyValue>>,
): void {
  const entries = Object.entries(properties);
  writer.message(1, () => {
    for (const [name, value] of entries) {
      if (typeof value === "object") continue;
      writer.message(1, () => {
        writer.text(1, name);
        writer.message(2, () => writeScalar(writer, value));
      });
    }
  });
  for (const [name, value] of entries) {
    if (typeof value !== "object") continue;
    // An empty list has no type on the wire; the server knows the property's.
    if (value.length === 0) writer.text(10, name);
    else {
      writer.message(6, () => {
        for (const text of value) writer.text(1, text);
        writer.text(2, name);
      });
    }
  }
}

function writeScalar(writer: ProtobufWriter, value: string | number | boolean): void {
  if (typeof value === "number") writer.double(2, value);
  else if (typeof value === "string") writer.text(3, value);
  else writer.boolean(4, value);
}

/** What the server says of single objects: by position in the request, the objects that it did not take. */
export function decodeObjectErrors(answer: Buffer): ReadonlyMap<number, string> {
  const errors = new Map<number, string>();
  const reader = new ProtobufReader(answer);
  while (reader.next()) {
    if (reader.field !== 2) continue;
    const error = reader.message();
    let [index, text] = [0, ""];
    while (error.next()) {
      if (error.field === 1) index = error.integer();
      else if (error.field === 2) text = error.text();
    }
    errors.set(index, text);
  }
  return errors;
}

/** The message of `BatchDelete`. */
export function encodeDelete(target: WireTarget, filter: WireFilter): Buffer {
  const writer = new ProtobufWriter();
  writer.text(1, target.collection);
  writeFilter(writer, 2, filter);
  writer.integer(5, consistencyLevels[target.consistency]);
  if (target.tenant !== undefined) writer.text(6, target.tenant);
  return writer.finish();
}

export interface DeleteAnswer {
  /** Objects that the filter let through; the server deletes only so many of them at once. */
  readonly matches: number;
  readonly successful: number;
}

export function decodeDelete(answer: Buffer): DeleteAnswer {
  let [matches, successful] = [0, 0];
  const reader = new ProtobufReader(answer);
  while (reader.next()) {
    if (reader.field === 3) matches = reader.long();
    else if (reader.field === 4) successful = reader.long();
  }
  return { matches, successful };
}
