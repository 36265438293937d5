/** A field of a protobuf message: a number, or the bytes of a text, a nested message or packed numbers. */
export type ProtobufField =
  | { readonly number: number; readonly value: number }
  | { readonly number: number; readonly bytes: Uint8Array };

/** The fields of a message in the order in which they stand; numbers of fixed width, which nobody here has, are left out. */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  const reader = { message, at: 0 };
  while (reader.at < message.length) {
    const tag = varint(reader);
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    if (wireType === 0) yield { number, value: varint(reader) };
    else if (wireType === 1) reader.at += 8;
    else if (wireType === 2) {
      const length = varint(reader);
      reader.at += length;
      yield { number, bytes: message.subarray(reader.at - length, reader.at) };
    } else if (wireType === 5) reader.at += 4;
    else throw new Error(`The message has a field of the unknown type ${wireType}.`);
  }
}

/**
 * The number in a field of a protobuf message: an integer, an enumeration or a truth value. Absent means 0, as the
 * format has it. Only what an answer to a health check needs: the field is not in a nested message.
 */
export function numberInField(message: Uint8Array, field: number): number {
  for (const found of protobufFields(message)) {
    if (found.number === field && "value" in found) return found.value;
  }
  return 0;
}

/** Numbers one after the other, as a packed field has them. */
export function packedNumbers(bytes: Uint8Array): number[] {
  const reader = { message: bytes, at: 0 };
  const numbers: number[] = [];
  while (reader.at < bytes.length) numbers.push(varint(reader));
  return numbers;
}

function varint(reader: { readonly message: Uint8Array; at: number }): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.message[reader.at];
    if (byte === undefined) throw new Error("The message ends in the middle of a number.");
    reader.at += 1;
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
}
