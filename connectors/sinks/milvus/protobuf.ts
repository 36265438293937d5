/** The few parts of protobuf's encoding that are written by hand, where the official client is too slow or has no door. */

/** A field that holds bytes, a text or a message. */
export function lengthField(number: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  return Buffer.concat([varint(number * 8 + 2), varint(length), ...parts]);
}

/** A field that holds a whole number of at most 53 bits, an enum or a boolean. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** What the first field of a message holds; it must be bytes, a text or a message. */
export function firstField(message: Buffer): Buffer {
  let start = 1;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = message[start] ?? 0;
    length += (byte & 0x7f) * scale;
    start += 1;
    if (byte < 128) return message.subarray(start, start + length);
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
