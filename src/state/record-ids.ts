import { assert } from "../faults/index.ts";

const textLength = 36;
const packedLength = 16;

/** Packs UUIDs into 16 bytes each: a third of the state file's size. */
export function packIds(ids: readonly string[]): Buffer {
  for (const id of ids) assert(id.length === textLength, `the record id \`${id}\` is not a UUID`);
  const packed = Buffer.from(ids.join("").replaceAll("-", ""), "hex");
  assert(packed.length === ids.length * packedLength, "a record id is not a UUID");
  return packed;
}

/** The lower-case UUIDs that `packIds` packed. */
export function unpackIds(packed: Uint8Array): string[] {
  const hex = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).toString("hex");
  const ids: string[] = [];
  for (let start = 0; start < hex.length; start += packedLength * 2) {
    const end = start + packedLength * 2;
    const [a, b, c, d] = [start + 8, start + 12, start + 16, start + 20];
    ids.push(
      `${hex.slice(start, a)}-${hex.slice(a, b)}-${hex.slice(b, c)}-${hex.slice(c, d)}-${hex.slice(d, end)}`,
    );
  }
  return ids;
}
