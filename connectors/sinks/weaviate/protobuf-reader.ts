/**
 * Reads one protobuf message: `next` moves to a field, then one of the other methods reads its value; a value that is
 * not read is skipped. Throws a `RangeError` when the message ends in the middle.
 */
export class ProtobufReader {
  readonly #buffer: Buffer;
  #at = 0;
  #type = 0;
  #read = true;
  /** The number of the current field. */
  field = 0;

  constructor(message: Uint8Array) {
    this.#buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (!this.#read) this.#skip();
    if (this.#at >= this.#buffer.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#type = tag % 8;
    this.#read = false;
    return true;
  }

  /** An unsigned number or an enumeration. */
  integer(): number {
    this.#read = true;
    return this.#varint();
  }

  /** A signed 64-bit integer; beyond 2^53 the nearest number. */
  long(): number {
    this.#read = true;
    return Number(BigInt.asIntN(64, this.#bigVarint()));
  }

  boolean(): boolean {
    return this.integer() !== 0;
  }

  float(): number {
    const at = this.#take(4);
    return this.#buffer.readFloatLE(at);
  }

  double(): number {
    const at = this.#take(8);
    return this.#buffer.readDoubleLE(at);
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.#varint();
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  /** A message within this one. */
  message(): ProtobufReader {
    return new ProtobufReader(this.bytes());
  }

  #skip(): void {
    if (this.#type === 0) this.#bigVarint();
    else if (this.#type === 1) this.#take(8);
    else if (this.#type === 2) this.bytes();
    else if (this.#type === 5) this.#take(4);
    else throw new RangeError(`The message has a field of the unknown type ${this.#type}.`);
    this.#read = true;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#buffer.length) throw cut();
    this.#at += length;
    this.#read = true;
    return at;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  #bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  #byte(): number {
    const byte = this.#buffer[this.#at];
    if (byte === undefined) throw cut();
    this.#at += 1;
    return byte;
  }
}

function cut(): RangeError {
  return new RangeError("The message ends in the middle of a value.");
}
