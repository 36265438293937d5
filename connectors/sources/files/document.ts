import type { BigIntStats } from "node:fs";
import type { DocumentRef } from "../../../src/contracts/index.ts";
import { mediaTypeOf } from "./media-types.ts";
import { readFile } from "./read-file.ts";
import { revisionOf } from "./revision.ts";
import type { Root } from "./root.ts";

/** File systems stamp changes with a grain of up to 2 s: within it a revision cannot tell two contents apart. */
const grainMs = 2000;

/** Describes a regular file. `seenAtMs` is the wall clock before its stats were read. */
export function describeFile(
  file: { readonly id: string; readonly path: string; readonly stats: BigIntStats },
  root: Root,
  seenAtMs: number,
): DocumentRef {
  const { id, path, stats } = file;
  const changedMs = Math.max(
    Number(stats.mtimeNs / 1_000_000n),
    Number(stats.ctimeNs / 1_000_000n),
  );
  const isProvisional = changedMs > seenAtMs - grainMs;
  return {
    id,
    revision: revisionOf(stats),
    ...(isProvisional && { provisional: true }),
    mediaType: mediaTypeOf(id),
    uri: root.uriOf(id),
    metadata: {},
    content: {
      kind: "bytes",
      open: (signal) => readFile({ id, path, stats }, signal),
      sizeBytes: Number(stats.size),
    },
  };
}
