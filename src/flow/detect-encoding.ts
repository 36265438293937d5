import { isUtf8 } from "node:buffer";

/** An encoding and how it was found. */
export interface DetectedEncoding {
  /** A label of `TextDecoder`, or `utf-32le`, `utf-32be`. */
  readonly label: string;
  /** Bytes of the byte order mark to skip. */
  readonly skip: number;
  /** Why the choice may be wrong; absent when there is no doubt worth telling. */
  readonly doubt?: string;
}

/** Bytes looked at to choose an encoding: detection by statistics costs 0.4 µs a byte. */
export const sampleBytes = 64 * 1024;

const marks: readonly (readonly [label: string, mark: readonly number[]])[] = [
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** The encoding that a byte order mark at the start names. */
export function encodingOfMark(head: Uint8Array): DetectedEncoding | undefined {
  const found = marks.find(([, mark]) => mark.every((byte, index) => head[index] === byte));
  return found && { label: found[0], skip: found[1].length };
}

/**
 * Chooses the encoding of bytes without a byte order mark: valid UTF-8, UTF-16 or UTF-32 by plausibility, UTF-8 with
 * some damage, then statistics. `undefined` means that this is not text. `complete` says that nothing follows.
 */
export async function detectEncoding(
  sample: Uint8Array,
  complete: boolean,
): Promise<DetectedEncoding | undefined> {
  const whole = complete ? sample : sample.subarray(0, completeLength(sample));
  const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  if (bytes.includes(0)) {
    const wide = wideCandidates(bytes).find((label) => isPlausible(bytes, label));
    if (wide !== undefined) return { label: wide, skip: 0 };
    if (isBinary(bytes)) return undefined;
  }
  // ISO-2022-JP is seven-bit: to a check for UTF-8 it looks like ASCII.
  if (isUtf8(bytes) && !bytes.includes("\x1b$")) return { label: "utf-8", skip: 0 };
  if (isDamagedUtf8(bytes)) return { label: "utf-8", skip: 0 };
  return guess(bytes);
}

/** The length of the bytes without a UTF-8 sequence that is cut off at the end. */
export function completeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Decodes UTF-32, which `TextDecoder` does not know. The length must be a multiple of four. */
export function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    const point = view.getUint32(offset, littleEndian);
    const isScalar = point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff);
    text += isScalar ? String.fromCodePoint(point) : "\uFFFD";
  }
  return text;
}

type WideEncoding = "utf-32le" | "utf-32be" | "utf-16le" | "utf-16be";

/** Encodings of two or four bytes that the places of the NUL bytes allow. */
function wideCandidates(bytes: Buffer): readonly WideEncoding[] {
  let low = 0;
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) {
    if (byte < 0x20) low += 1;
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  }
  // UTF-16 is valid UTF-8 only where every second byte is a small number (Latin, Greek, Cyrillic, Hebrew …).
  if (isUtf8(bytes) && low < bytes.length * 0.25) return [];
  const [even = 0, odd = 0] = zeros;
  return ["utf-32le", "utf-32be", odd >= even ? "utf-16le" : "utf-16be"];
}

/** Assigned characters and the white space of texts; what random units decode to is to a third something else. */
const assigned = /[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n\r\t\f\uFEFF\p{Cf}]/gu;

function isPlausible(bytes: Uint8Array, label: WideEncoding): boolean {
  const unit = label.startsWith("utf-32") ? 4 : 2;
  const even = bytes.subarray(0, bytes.length - (bytes.length % unit));
  if (even.length === 0) return false;
  const text =
    unit === 4
      ? decodeUtf32(even, label === "utf-32le")
      : new TextDecoder(label, { ignoreBOM: true }).decode(even);
  const points = [...text].length;
  if (text.includes("\uFFFD")) return false;
  return (text.match(assigned)?.length ?? 0) >= points * 0.98;
}

/** NUL bytes and many other control characters: a picture, an archive, a program. */
function isBinary(bytes: Uint8Array): boolean {
  let controls = 0;
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13) controls += 1;
  }
  return controls >= 8 && controls > bytes.length * 0.05;
}

function isDamagedUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder("utf-8").decode(bytes);
  let invalid = 0;
  let valid = 0;
  for (const character of text) {
    if (character === "\uFFFD") invalid += 1;
    else if (character > "\x7f") valid += 1;
  }
  return invalid > 0 && invalid < (invalid + valid) * 0.1;
}

/** Names that the detector and the decoder spell differently. */
const spellings: Readonly<Record<string, string>> = {
  cp932: "shift_jis",
  cp949: "euc-kr",
  cp874: "windows-874",
  cp866: "ibm866",
  gb2312: "gb18030",
  gbk: "gb18030",
  big5hkscs: "big5-hkscs",
  macroman: "macintosh",
  maccyrillic: "x-mac-cyrillic",
};
const fallback = "windows-1252";
/** Below this many bytes a guess of a Macintosh encoding is nearly always wrong. */
const macMinBytes = 64;

async function guess(bytes: Uint8Array): Promise<DetectedEncoding> {
  const { detect } = await import("jschardet");
  const name = detect(bytes).encoding?.toLowerCase();
  if (name === undefined) return { label: fallback, skip: 0, doubt: "no encoding fits" };
  if (name.startsWith("mac") && bytes.length < macMinBytes) return { label: fallback, skip: 0 };
  const label = spellings[name] ?? name;
  if (isKnown(label)) return { label, skip: 0 };
  return { label: fallback, skip: 0, doubt: `it looks like ${name}, which cannot be decoded` };
}

function isKnown(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}
