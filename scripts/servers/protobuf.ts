/**
 * The number in a field of a protobuf message: an integer, an enumeration or a truth value. Absent means 0, as the
 * format has it. Only what an answer to a health check needs: the field is not in a nested message.
 */
export function numberInField(message: Uint8Array, field: number): number {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at];
      if (byte === undefined) throw new Error("The message ends in the middle of a number.");
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === 0) {
      const value = varint();
      if (Math.floor(tag / 8) === field) return value;
    } else if (wireType === 1) at += 8;
    else if (wireType === 2) {
      const length = varint();
      at += length;
    } else if (wireType === 5) at += 4;
    else throw new Error(`The message has a field of the unknown type ${wireType}.`);
  }
  return 0;
}
