import { hash } from "node:crypto";
import type { Json } from "../contracts/index.ts";

/** A hash of parts that cannot be confused by moving text from one part to the next; 32 hex digits. */
export function digest(...parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts)).slice(0, 32);
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const object = value as { readonly [key: string]: Json };
  const entries = Object.keys(object)
    .toSorted()
    .flatMap((key) => {
      const item = object[key];
      return item === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(item)}`];
    });
  return `{${entries.join(",")}}`;
}

/**
 * The id of a chunk: a UUID of version 8. The first 32 bits come from the pipeline's name, so that the records of one
 * pipeline lie together; the rest from source, document, embedded text and its occurrence in the document. A chunk
 * whose text stays keeps its id when chunks are inserted before it.
 */
export function chunkId(
  pipeline: string,
  source: string,
  document: string,
  embeddedText: string,
  occurrence: number,
): string {
  const head = hash("sha256", pipeline).slice(0, 8);
  const rest = digest(pipeline, source, document, embeddedText, String(occurrence));
  const variant = ((Number.parseInt(rest.slice(7, 8), 16) & 0x3) | 0x8).toString(16);
  return (
    `${head}-${rest.slice(0, 4)}-8${rest.slice(4, 7)}-` +
    `${variant}${rest.slice(8, 11)}-${rest.slice(11, 23)}`
  );
}

/** The value of a record's `fingerprint`: a version of a document in a target, and how many records it has. */
export function recordFingerprint(version: string, records: number): string {
  return `${version}-${records}`;
}

/** The inverse of `recordFingerprint`; undefined for text of another form. */
export function parseFingerprint(
  fingerprint: string,
): { readonly version: string; readonly records: number } | undefined {
  const match = /^([0-9a-f]{32})-(\d{1,9})$/.exec(fingerprint);
  if (match?.[1] === undefined) return undefined;
  return { version: match[1], records: Number(match[2]) };
}
