/** A setting of a model, with the type that the format gives it. */
export type GgufValue =
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly boolean: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly int32s: readonly number[] };

/** A tensor of numbers of 32 bits, the last dimension innermost. */
export interface GgufTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly numbers: Float32Array;
}

const version = 3;
const alignment = 32;
const types = { uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const;
const tensorFloat32 = 0;

/** A file in llama.cpp's format GGUF: settings, then the tensors' names and places, then their numbers. */
export function ggufFile(
  settings: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Buffer {
  const parts = [Buffer.from("GGUF"), uint32(version)];
  parts.push(uint64(tensors.length), uint64(Object.keys(settings).length));
  for (const [key, value] of Object.entries(settings)) parts.push(string(key), ...setting(value));
  let offset = 0;
  for (const { name, dimensions, numbers } of tensors) {
    parts.push(string(name), uint32(dimensions.length));
    // The format names the innermost first.
    for (const dimension of dimensions.toReversed()) parts.push(uint64(dimension));
    parts.push(uint32(tensorFloat32), uint64(offset));
    offset += padded(numbers.byteLength);
  }
  const head = Buffer.concat(parts);
  const data = tensors.flatMap(({ numbers }) => {
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    return [bytes, Buffer.alloc(padded(bytes.length) - bytes.length)];
  });
  return Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length), ...data]);
}

function setting(value: GgufValue): Buffer[] {
  if ("uint32" in value) return [uint32(types.uint32), uint32(value.uint32)];
  if ("float32" in value) return [uint32(types.float32), float32(value.float32)];
  if ("boolean" in value) return [uint32(types.boolean), Buffer.from([value.boolean ? 1 : 0])];
  if ("string" in value) return [uint32(types.string), string(value.string)];
  if ("strings" in value) return list(types.string, value.strings.map(string));
  return list(types.int32, value.int32s.map(int32));
}

function list(type: number, items: readonly Buffer[]): Buffer[] {
  return [uint32(types.array), uint32(type), uint64(items.length), ...items];
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function padded(length: number): number {
  return Math.ceil(length / alignment) * alignment;
}
