import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { filesSource } from "../../../../connectors/sources/files/index.ts";
import type {
  Clock,
  DocumentRef,
  LookupEvent,
  Source,
  SourceEvent,
} from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import { systemClock } from "../../../../src/flow/system-clock.ts";

export const never = new AbortController().signal;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files, removed after the test. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-files-")));
  folders.push(folder);
  write(folder, files);
  return folder;
}

export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A source over a folder; `later` shifts its wall clock, so that fresh files are old. */
export function makeSource(
  config: Readonly<Record<string, unknown>>,
  options: { readonly folder?: string; readonly laterMs?: number } = {},
): Source {
  const clock: Clock = { ...systemClock, now: () => Date.now() + (options.laterMs ?? 0) };
  return filesSource.create(filesSource.config.parse(config), {
    name: "docs",
    pipeline: "test",
    folder: options.folder ?? "/",
    clock,
    fields: {},
  });
}

export async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}

export function list(source: Source): Promise<SourceEvent[]> {
  return collect(source.read({ follow: false }, never));
}

export function documentsOf(events: readonly (SourceEvent | LookupEvent)[]): DocumentRef[] {
  return events.flatMap((event) => (event.kind === "document" ? [event.document] : []));
}

export async function idsOf(config: Readonly<Record<string, unknown>>): Promise<string[]> {
  return documentsOf(await list(makeSource(config))).map((document) => document.id);
}

/** What a listing says in short: ids, `failure` with its code, `end`. */
export function brief(events: readonly SourceEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === "document") return event.document.id;
    if (event.kind === "end") return `end ${event.listing}`;
    if (event.kind !== "failure") return event.kind;
    const place = "prefix" in event ? `prefix ${event.prefix}` : event.documentId;
    return `failure ${place} ${event.fault.code}`;
  });
}

/** The code with which a promise rejects. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return isFault(error) ? `${error.scope} ${error.code}` : String(error);
  }
  return "no fault";
}

export async function textOf(document: DocumentRef | undefined): Promise<string> {
  if (document === undefined || document.content.kind !== "bytes") throw new Error("No bytes.");
  return Buffer.concat(await collect(document.content.open(never))).toString();
}

/** Folders that this process watches now (Linux). */
export function watchesNow(): number {
  return readdirSync("/proc/self/fdinfo")
    .map((name) => `/proc/self/fdinfo/${name}`)
    .filter((path) => existsSync(path))
    .reduce((sum, path) => sum + readFileSync(path, "utf8").split("inotify wd:").length - 1, 0);
}
