import { assert } from "../faults/index.ts";

const textLength = 36;
const packedLength = 16;
const digits = Buffer.from("0123456789abcdef");
const hyphen = 0x2d;

/** Packs UUIDs into 16 bytes each: a third of the state file's size. */
export function packIds(ids: readonly string[]): Buffer {
  for (const id of ids) assert(id.length === textLength, `the record id \`${id}\` is not a UUID`);
  const packed = Buffer.from(ids.join("").replaceAll("-", ""), "hex");
  assert(packed.length === ids.length * packedLength, "a record id is not a UUID");
  return packed;
}

/**
 * The lower-case UUIDs that `packIds` packed. Written digit by digit into one text that is then cut: measured,
 * this takes two thirds of the time of cutting and joining each.
 */
export function unpackIds(packed: Uint8Array): string[] {
  const text = Buffer.allocUnsafe((packed.length / packedLength) * textLength);
  let end = 0;
  for (let index = 0; index < packed.length; index += 1) {
    const place = index % packedLength;
    if (place === 4 || place === 6 || place === 8 || place === 10) text[end++] = hyphen;
    const byte = packed[index] ?? 0;
    text[end++] = digits[byte >> 4] ?? 0;
    text[end++] = digits[byte & 15] ?? 0;
  }
  const all = text.toString("latin1", 0, end);
  const ids: string[] = [];
  for (let start = 0; start < end; start += textLength) {
    ids.push(all.slice(start, start + textLength));
  }
  return ids;
}
