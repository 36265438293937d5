import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Fault } from "../../faults/index.ts";
import { diskFault } from "./disk-fault.ts";

/** What a file is known to be. */
export interface ExpectedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  /** The SHA-1 of the git blob: of its kind, size and content. */
  readonly blob?: string;
}

/** Reads a file that should be this one and gives its sha256; undefined when it is another. */
export async function checksumOf(
  file: string,
  expected: ExpectedFile,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sha256 = createHash("sha256");
  const blob = createHash("sha1").update(`blob ${expected.size}\0`);
  let size = 0;
  try {
    for await (const part of createReadStream(file, { signal, highWaterMark: 1024 * 1024 })) {
      const bytes = part as Buffer;
      size += bytes.length;
      sha256.update(bytes);
      if (expected.blob !== undefined) blob.update(bytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw diskFault(error, file);
  }
  if (size !== expected.size) return undefined;
  if (expected.blob !== undefined && blob.digest("hex") !== expected.blob) return undefined;
  const digest = sha256.digest("hex");
  return expected.sha256 === undefined || expected.sha256 === digest ? digest : undefined;
}

/** The refusal of a file that is not what was promised; the file is gone by then. */
export function checksumFault({ path, sha256, blob }: ExpectedFile, from: string): Fault {
  const promised = sha256 === undefined ? `git hash ${blob}` : `sha256 ${sha256}`;
  return new Fault(
    "refused.checksum",
    `\`${path}\` from ${from} is not the file with ${promised} that was promised. What came was deleted. Pull again; ` +
      "if it stays so, the hub or mirror has another file under this name.",
  );
}
