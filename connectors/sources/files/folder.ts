import { isUtf8 } from "node:buffer";
import type { BigIntStats, Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { isGone } from "./faults.ts";

/** An entry of a folder, by its name alone. */
export interface FolderEntry {
  /** The name; of one that is not valid UTF-8, with the invalid bytes as `\xFF`. */
  readonly name: string;
  readonly isNameValid: boolean;
  readonly kind: "file" | "folder" | "link" | "other";
}

/** What a folder holds; `vanished` when it is not there, or is no folder (any more). */
export type FolderContent =
  | { readonly kind: "entries"; readonly entries: readonly FolderEntry[] }
  | { readonly kind: "vanished" }
  | { readonly kind: "failed"; readonly error: unknown };

/** A folder that keeps changing is read so many times; what was seen in any of them counts. */
const readsMax = 3;

/**
 * Reads the names of a folder, in an order that makes the paths of a whole listing ascend. A link is no folder.
 * `found` is called before the folder is read, so that a watcher set up there misses nothing.
 */
export async function readFolder(
  path: string,
  found?: (stats: BigIntStats) => void,
): Promise<FolderContent> {
  const entries = new Map<string, FolderEntry>();
  try {
    let before = await lstat(path, { bigint: true });
    for (let reads = 1; ; reads += 1) {
      if (!before.isDirectory()) return { kind: "vanished" };
      found?.(before);
      for (const entry of await readEntries(path)) entries.set(entry.name, entry);
      // While names come and go a directory may be read without a name that was there all the time.
      const after = await lstat(path, { bigint: true });
      const isStable = after.mtimeNs === before.mtimeNs && after.ino === before.ino;
      if (isStable || reads === readsMax) break;
      before = after;
    }
  } catch (error) {
    return isGone(error) ? { kind: "vanished" } : { kind: "failed", error };
  }
  return { kind: "entries", entries: [...entries.values()].toSorted(byPath) };
}

async function readEntries(path: string): Promise<FolderEntry[]> {
  const found = await readdir(path, { withFileTypes: true });
  if (!found.some((entry) => entry.name.includes("\uFFFD"))) {
    return found.map((entry) => ({ name: entry.name, isNameValid: true, kind: kindOf(entry) }));
  }
  const raw = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  return raw.map((entry) => {
    const isNameValid = isUtf8(entry.name);
    const name = isNameValid ? entry.name.toString() : escapeInvalid(entry.name);
    return { name, isNameValid, kind: kindOf(entry) };
  });
}

function kindOf(entry: Dirent<string> | Dirent<NonSharedBuffer>): FolderEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

/** Different names stay different: `\xE9` for a byte that is not UTF-8. */
function escapeInvalid(name: Uint8Array): string {
  let escaped = "";
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find(
      (candidate) => at + candidate <= name.length && isUtf8(name.subarray(at, at + candidate)),
    );
    escaped +=
      length === undefined
        ? `\\x${(name[at] ?? 0).toString(16).toUpperCase().padStart(2, "0")}`
        : Buffer.from(name.subarray(at, at + length)).toString();
    at += length ?? 1;
  }
  return escaped;
}

function byPath(left: FolderEntry, right: FolderEntry): number {
  const a = left.kind === "folder" ? `${left.name}/` : left.name;
  const b = right.kind === "folder" ? `${right.name}/` : right.name;
  return a < b ? -1 : a > b ? 1 : 0;
}
