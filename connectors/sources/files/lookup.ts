import { lstat } from "node:fs/promises";
import { sep } from "node:path";
import type { LookupEvent } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { raceAbort } from "../../../src/flow/abort.ts";
import { describeFile } from "./document.ts";
import { badName, isGone, notAFile, unreadable } from "./faults.ts";
import { readFolder } from "./folder.ts";
import type { OpenRoot } from "./root.ts";
import { foldersOf } from "./selection.ts";
import type { Listing } from "./walk.ts";

/**
 * Describes named documents as a listing would. `deletion` only while the root is there and a listing would not list
 * the document.
 */
export async function* lookupFiles(
  ids: readonly string[],
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<LookupEvent, void, undefined> {
  const root = await listing.root.open(signal);
  for (const documentId of ids) {
    const event = await lookupFile(documentId, root, listing, signal);
    if (event.kind === "deletion") await root.verify(signal);
    yield event;
  }
}

async function lookupFile(
  id: string,
  root: OpenRoot,
  listing: Listing,
  signal: AbortSignal,
): Promise<LookupEvent> {
  if (!isBelowRoot(id)) return { kind: "failure", documentId: id, fault: escapes(id) };
  const gone: LookupEvent = { kind: "deletion", documentId: id };
  if (!listing.selection.selects(id)) return gone;
  try {
    for (const folder of foldersOf(id)) {
      const stats = await raceAbort(lstat(`${root.path}/${folder}`), signal);
      if (!stats.isDirectory()) return gone;
    }
    const path = `${root.path}/${id}`;
    const seenAtMs = listing.clock.now();
    const stats = await raceAbort(lstat(path, { bigint: true }), signal);
    if (stats.isFile()) {
      if (!(await isSpelledSo(id, root, signal))) return gone;
      const document = describeFile({ id, path, stats }, listing.root, seenAtMs);
      return { kind: "document", document };
    }
    if (stats.isDirectory() || stats.isSymbolicLink()) return gone;
    return { kind: "failure", documentId: id, fault: notAFile(id) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isGone(error)) return { kind: "failure", documentId: id, fault: unreadable(id, error) };
    const isEscaped = id.includes("\\x") && (await isInvalidName(id, root, signal));
    return isEscaped ? { kind: "failure", documentId: id, fault: badName(id) } : gone;
  }
}

/** Whether an id is one that a listing could give: plain segments, no way up or out. */
function isBelowRoot(id: string): boolean {
  if (id === "" || id.includes("\0") || (sep === "\\" && /[\\:]/.test(id))) return false;
  return id.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function escapes(id: string): Fault {
  return new Fault(
    "source.name",
    `\`${id}\` does not name a file below the root; it is neither read nor deleted.`,
  );
}

/** Where names differ in case or normal form alone, only the spelling that a listing gives is a document. */
async function isSpelledSo(id: string, root: OpenRoot, signal: AbortSignal): Promise<boolean> {
  if (process.platform !== "darwin" && process.platform !== "win32") return true;
  for (const path of [...foldersOf(id), id]) {
    if (!(await hasEntry(path, root, signal, true))) return false;
  }
  return true;
}

function isInvalidName(id: string, root: OpenRoot, signal: AbortSignal): Promise<boolean> {
  return hasEntry(id, root, signal, false);
}

async function hasEntry(
  path: string,
  root: OpenRoot,
  signal: AbortSignal,
  isNameValid: boolean,
): Promise<boolean> {
  const cut = path.lastIndexOf("/");
  const parent = cut === -1 ? root.path : `${root.path}/${path.slice(0, cut)}`;
  const content = await raceAbort(readFolder(parent), signal);
  if (content.kind !== "entries") return false;
  const name = path.slice(cut + 1);
  return content.entries.some((entry) => entry.name === name && entry.isNameValid === isNameValid);
}
