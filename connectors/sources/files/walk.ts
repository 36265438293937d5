import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import type { Clock, SourceEvent } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { raceAbort } from "../../../src/flow/abort.ts";
import { describeFile } from "./document.ts";
import { badName, codeOf, isGone, notAFile, unreadable } from "./faults.ts";
import { readFolder, type FolderEntry } from "./folder.ts";
import type { OpenRoot, Root } from "./root.ts";
import type { Selection } from "./selection.ts";

/** What a listing works with. */
export interface Listing {
  readonly root: Root;
  readonly selection: Selection;
  readonly clock: Clock;
  /** Told of every folder before it is read. */
  readonly onFolder?: (path: string, folder: string, stats: BigIntStats) => void;
}

type ListingEvent = Extract<SourceEvent, { kind: "document" | "failure" }>;

/** Files whose stats are asked for at once. */
const statsAtOnce = 256;

/** An open folder: its entries, and how far they are listed. */
interface Frame {
  /** `guide/`, or empty for the root. */
  readonly prefix: string;
  readonly entries: readonly FolderEntry[];
  next: number;
}

/**
 * Lists the files below the root, their ids ascending, without opening any. Holds the names of the folders on the way
 * to the current file. Links are not followed. Rejects with `source.unreachable` when the root is not there, or is
 * another one at the end: what was listed is then not all there is.
 */
export async function* listFiles(
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<ListingEvent, void, undefined> {
  const root = await listing.root.open(signal);
  const frames: Frame[] = [];
  yield* enter("", root, listing, frames, signal);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const entry = frame.entries[frame.next];
    if (entry === undefined) {
      frames.pop();
    } else if (entry.kind === "folder") {
      frame.next += 1;
      yield* enterNamed(entry, frame.prefix, root, listing, frames, signal);
    } else {
      const files = filesFrom(frame);
      frame.next += files.length;
      yield* describe(files, frame.prefix, root, listing, signal);
    }
  }
  await root.verify(signal);
}

async function* enterNamed(
  entry: FolderEntry,
  parent: string,
  root: OpenRoot,
  listing: Listing,
  frames: Frame[],
  signal: AbortSignal,
): AsyncGenerator<ListingEvent, void, undefined> {
  const prefix = `${parent}${entry.name}/`;
  if (entry.isNameValid) yield* enter(prefix, root, listing, frames, signal);
  else yield { kind: "failure", prefix, fault: badName(prefix) };
}

/** Opens a folder; one that cannot be read makes everything below it unknown. */
async function* enter(
  prefix: string,
  root: OpenRoot,
  listing: Listing,
  frames: Frame[],
  signal: AbortSignal,
): AsyncGenerator<ListingEvent, void, undefined> {
  const folder = prefix.slice(0, -1);
  const path = folder === "" ? root.path : `${root.path}/${folder}`;
  const found = (stats: BigIntStats): void => listing.onFolder?.(path, folder, stats);
  const content = await raceAbort(readFolder(path, found), signal);
  if (content.kind === "entries") {
    const entries = content.entries.filter((entry) => isWanted(entry, prefix, listing.selection));
    frames.push({ prefix, entries, next: 0 });
  } else if (prefix === "") {
    const problem = content.kind === "failed" ? codeOf(content.error) : "it disappeared";
    throw new Fault(
      "source.unreachable",
      `The root \`${root.path}\` cannot be listed (${problem}). Nothing is deleted. Check its permissions, and that the disk is mounted.`,
      content.kind === "failed" ? { cause: content.error } : {},
    );
  } else if (content.kind === "failed") {
    yield { kind: "failure", prefix, fault: unreadable(prefix, content.error) };
  }
}

function isWanted(entry: FolderEntry, prefix: string, selection: Selection): boolean {
  const id = prefix + entry.name;
  if (entry.kind === "link") return false;
  return entry.kind === "folder" ? selection.enters(id) : selection.matches(id);
}

function filesFrom(frame: Frame): FolderEntry[] {
  const files = frame.entries.slice(frame.next, frame.next + statsAtOnce);
  const end = files.findIndex((entry) => entry.kind === "folder");
  return end === -1 ? files : files.slice(0, end);
}

async function* describe(
  files: readonly FolderEntry[],
  prefix: string,
  root: OpenRoot,
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<ListingEvent, void, undefined> {
  const seenAtMs = listing.clock.now();
  const results = await raceAbort(
    Promise.all(files.map((entry) => statOf(entry, `${root.path}/${prefix}${entry.name}`))),
    signal,
  );
  for (const [index, entry] of files.entries()) {
    const id = prefix + entry.name;
    const stats = results[index];
    if (!entry.isNameValid) {
      yield { kind: "failure", documentId: id, fault: badName(id) };
    } else if (stats === undefined || stats === "gone") {
      continue;
    } else if ("error" in stats) {
      yield { kind: "failure", documentId: id, fault: unreadable(id, stats.error) };
    } else if (stats.isFile()) {
      const file = { id, path: `${root.path}/${id}`, stats };
      yield { kind: "document", document: describeFile(file, listing.root, seenAtMs) };
    } else if (stats.isDirectory()) {
      // It was a file a moment ago. What it holds is for the next listing.
      yield { kind: "failure", prefix: `${id}/`, fault: notAFile(id) };
    } else if (!stats.isSymbolicLink()) {
      yield { kind: "failure", documentId: id, fault: notAFile(id) };
    }
  }
}

type StatResult = BigIntStats | "gone" | { readonly error: unknown };

async function statOf(entry: FolderEntry, path: string): Promise<StatResult> {
  if (!entry.isNameValid) return "gone";
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    return isGone(error) ? "gone" : { error };
  }
}
