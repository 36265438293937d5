import { createReadStream } from "node:fs";
import { posix } from "node:path";
import { isSafePath } from "../safe-path.ts";
import { diskFault } from "./disk-fault.ts";

/** How an entry of a tensor's `external_data` begins whose key is `location`; the tag of its value follows. */
const key = Buffer.from("\n\u0008location\u0012", "latin1");
const longestName = 1024;

/**
 * The files that an ONNX graph says its weights are in, by their paths in the model. Found by their key and not by
 * parsing, so that a graph of any size is read in one go. What does not look like a file's name is left out.
 */
export async function externalFiles(
  file: string,
  path: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // What may be the beginning of an entry that ends in the next part.
  const overlap = key.length + 2 + longestName;
  let held: Buffer = Buffer.alloc(0);
  try {
    for await (const part of createReadStream(file, { signal, highWaterMark: 1024 * 1024 })) {
      held = Buffer.concat([held, part as Buffer]);
      collect(held, found);
      held = held.subarray(Math.max(0, held.length - overlap));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw diskFault(error, file);
  }
  const relative = [...found].filter((name) => !posix.isAbsolute(name));
  const beside = relative.map((name) => posix.join(posix.dirname(path), name));
  return new Set(beside.filter((name) => isSafePath(name)));
}

function collect(bytes: Buffer, found: Set<string>): void {
  for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1)) {
    const name = nameAt(bytes, at + key.length);
    if (name !== undefined) found.add(name);
  }
}

/** A length in one or two bytes, and so many bytes of UTF-8; undefined when they are not all there. */
function nameAt(bytes: Buffer, at: number): string | undefined {
  const [low = 0, high = 0] = [bytes[at], bytes[at + 1]];
  const isLong = low >= 0x80;
  const length = isLong ? (low & 0x7f) + high * 128 : low;
  const from = at + (isLong ? 2 : 1);
  if (length === 0 || length > longestName || from + length > bytes.length) return undefined;
  const name = bytes.toString("utf8", from, from + length);
  return /[\p{Cc}\ufffd]/u.test(name) ? undefined : name;
}
