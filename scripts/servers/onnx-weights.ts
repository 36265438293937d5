import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packedNumbers, protobufFields } from "./protobuf.ts";

/** A tensor of numbers of 32 bits, the last dimension innermost. */
export interface Weight {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly numbers: Float32Array;
}

const float32 = 1;
const decoder = new TextDecoder();

/** The weights of an ONNX file and of the files beside it, by name; what is not of 32-bit floats is left out. */
export async function readOnnxWeights(path: string): Promise<ReadonlyMap<string, Weight>> {
  const model = await readFile(path);
  const beside = new Map<string, Buffer>();
  const weights = new Map<string, Weight>();
  const graphField = 7;
  const initializerField = 5;
  for (const graph of nested(model, graphField)) {
    for (const message of nested(graph, initializerField)) {
      const tensor = readTensor(message);
      if (tensor.type !== float32) continue;
      const { location } = tensor.external;
      const file = location === undefined ? undefined : join(dirname(path), location);
      if (file !== undefined && !beside.has(file)) beside.set(file, await readFile(file));
      const weight = toWeight(tensor, file === undefined ? undefined : beside.get(file));
      weights.set(weight.name, weight);
    }
  }
  return weights;
}

interface Tensor {
  readonly name: string;
  readonly type: number;
  readonly dimensions: readonly number[];
  readonly raw: Uint8Array;
  readonly external: Readonly<Record<string, string>>;
}

/** `TensorProto`: 1 dimensions, 2 type, 8 name, 9 the numbers, 13 where they are otherwise. */
function readTensor(message: Uint8Array): Tensor {
  let [name, type, raw] = ["", 0, new Uint8Array()];
  const dimensions: number[] = [];
  const external: Record<string, string> = {};
  for (const field of protobufFields(message)) {
    if ("value" in field) {
      if (field.number === 1) dimensions.push(field.value);
      if (field.number === 2) type = field.value;
      continue;
    }
    if (field.number === 1) dimensions.push(...packedNumbers(field.bytes));
    if (field.number === 8) name = decoder.decode(field.bytes);
    if (field.number === 9) raw = new Uint8Array(field.bytes);
    if (field.number === 13) {
      const [key = "", value = ""] = [...nested(field.bytes, 1), ...nested(field.bytes, 2)].map(
        (bytes) => decoder.decode(bytes),
      );
      external[key] = value;
    }
  }
  return { name, type, dimensions, raw, external };
}

function toWeight({ name, dimensions, raw, external }: Tensor, file: Buffer | undefined): Weight {
  const count = dimensions.reduce((product, dimension) => product * dimension, 1);
  const offset = Number(external["offset"] ?? 0);
  const bytes = file === undefined ? raw : file.subarray(offset, offset + count * 4);
  if (bytes.length !== count * 4) {
    throw new Error(`The tensor \`${name}\` has ${bytes.length} bytes, not ${count * 4}.`);
  }
  // A copy, which begins where a number may.
  return { name, dimensions, numbers: new Float32Array(new Uint8Array(bytes).buffer) };
}

function nested(message: Uint8Array, number: number): Uint8Array[] {
  return [...protobufFields(message)].flatMap((field) =>
    field.number === number && "bytes" in field ? [field.bytes] : [],
  );
}
