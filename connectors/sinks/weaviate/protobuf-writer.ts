const varintType = 0;
const doubleType = 1;
const bytesType = 2;

/**
 * Writes one protobuf message. Numbers, truth values and texts that are zero or empty are written too, so that members
 * of a `oneof` say which they are; leave out what is not set.
 */
export class ProtobufWriter {
  #buffer: Buffer;
  #end = 0;

  /** `capacity` is a guess of the message's size. */
  constructor(capacity = 1_024) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** A whole number that is not negative, or an enumeration. */
  integer(field: number, value: number): void {
    this.#tag(field, varintType);
    this.#varint(value);
  }

  /** A signed 64-bit integer, up to 2^53. */
  long(field: number, value: number): void {
    this.#tag(field, varintType);
    if (value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  boolean(field: number, value: boolean): void {
    this.integer(field, value ? 1 : 0);
  }

  double(field: number, value: number): void {
    this.#tag(field, doubleType);
    this.#reserve(8);
    this.#end = this.#buffer.writeDoubleLE(value, this.#end);
  }

  text(field: number, value: string): void {
    this.#tag(field, bytesType);
    const length = Buffer.byteLength(value);
    this.#varint(length);
    this.#reserve(length);
    this.#end += this.#buffer.write(value, this.#end);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, bytesType);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
  }

  /** The numbers of a vector as the store wants them: little-endian float32 in one run of bytes. */
  floats(field: number, value: Float32Array): void {
    this.#tag(field, bytesType);
    this.#varint(value.length * 4);
    this.#reserve(value.length * 4);
    for (const number of value) this.#end = this.#buffer.writeFloatLE(number, this.#end);
  }

  /** A message within this one. */
  message(field: number, write: () => void): void {
    this.#tag(field, bytesType);
    // One byte for the length, which is enough for most; what is longer moves up.
    this.#reserve(1);
    const at = this.#end;
    this.#end += 1;
    write();
    const length = this.#end - at - 1;
    const extra = varintLength(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(at + 1 + extra, at + 1, this.#end);
    }
    this.#end = at;
    this.#varint(length);
    this.#end += length;
  }

  /** The message so far. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#end] = (rest % 128) + 128;
      this.#end += 1;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#end] = rest;
    this.#end += 1;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127n) {
      this.#buffer[this.#end] = Number(rest & 127n) + 128;
      this.#end += 1;
      rest >>= 7n;
    }
    this.#buffer[this.#end] = Number(rest);
    this.#end += 1;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length += 1;
  return length;
}
