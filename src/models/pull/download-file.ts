import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../../faults/index.ts";
import { checksumFault, checksumOf } from "./checksum.ts";
import { diskFault } from "./disk-fault.ts";
import type { Hub } from "./hub.ts";
import type { RemoteFile } from "./list-files.ts";

export interface Download {
  readonly hub: Hub;
  readonly repository: string;
  readonly commit: string;
  /** Where unfinished models lie. */
  readonly staging: string;
  /** Told of bytes as they come; negative when what was there had to be thrown away. */
  readonly onBytes: (count: number) => void;
}

/** Rounds of attempts, each of which has to bring something new. */
const mostRounds = 1_000;

/**
 * Downloads one file into the staging folder, going on where an earlier attempt or process stopped, and gives its
 * sha256. The content decides: a file that is not the promised one is deleted; if a part of it was from earlier, it is
 * fetched once more as a whole.
 */
export async function downloadFile(
  download: Download,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<string> {
  const target = join(download.staging, file.path);
  const part = partOf(target, file);
  await mkdir(dirname(target), { recursive: true }).catch((error: unknown) => {
    throw diskFault(error, target);
  });
  const resumed = await sizeOf(part);
  for (const whole of resumed > 0 ? [false, true] : [true]) {
    await fetchAll(download, file, part, signal);
    const sha256 = await checksumOf(part, file, signal);
    if (sha256 !== undefined) {
      await rename(part, target);
      return sha256;
    }
    download.onBytes(-(await sizeOf(part)));
    await rm(part, { force: true });
    if (whole) break;
  }
  throw checksumFault(file, `\`${download.repository}\` at the hub \`${download.hub.shown}\``);
}

/** The file that holds what has come so far; another content has another name. */
export function partOf(target: string, { sha256, blob }: RemoteFile): string {
  return `${target}.${(sha256 ?? blob ?? "").slice(0, 16)}.part`;
}

export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
}

/** Fetches what is missing; starts over with the attempts as long as each round brings something. */
async function fetchAll(
  download: Download,
  file: RemoteFile,
  part: string,
  signal: AbortSignal,
): Promise<void> {
  const { hub, repository, commit } = download;
  const parts = [...repository.split("/"), "resolve", commit, ...file.path.split("/")];
  const url = hub.address(parts);
  for (let round = 0; ; round += 1) {
    const before = await sizeOf(part);
    // Also a file of no bytes has to be made.
    if (before === file.size && before > 0) return;
    try {
      await fetchRest(download, file, { part, url }, signal);
      return;
    } catch (error) {
      const advanced = (await sizeOf(part)) > before;
      const again = error instanceof Fault && error.retry === "later" && advanced;
      if (signal.aborted || !again || round >= mostRounds) throw error;
    }
  }
}

async function fetchRest(
  download: Download,
  file: RemoteFile,
  { part, url }: { readonly part: string; readonly url: URL },
  signal: AbortSignal,
): Promise<void> {
  const { hub } = download;
  const what = `\`${file.path}\``;
  // The range is of what is stored by now, which grows from attempt to attempt.
  const attempt = async (): Promise<void> => {
    const from = await sizeOf(part);
    const headers = {
      // A range of a compressed answer would be something else.
      "accept-encoding": "identity",
      ...(from > 0 ? { range: `bytes=${from}-` } : {}),
    };
    const request = { what, url, headers, understood: [416] };
    await hub.once(
      request,
      (answer, beat) => store(answer, { download, file, part, from, beat }),
      signal,
    );
  };
  await hub.repeat(attempt, signal);
}

interface Storing {
  readonly download: Download;
  readonly file: RemoteFile;
  readonly part: string;
  /** How many bytes are there, and were not asked for. */
  readonly from: number;
  readonly beat: () => void;
}

/** Writes the answer behind what is there, or from the beginning when the server begins there. */
async function store(answer: Response, storing: Storing): Promise<void> {
  const { download, file, part, from, beat } = storing;
  const start = startOf(answer, from, file.size);
  if (start === undefined) {
    await answer.body?.cancel();
    download.onBytes(-from);
    await rm(part, { force: true });
    throw broken(storing, "answered another range than was asked for");
  }
  if (start < from) download.onBytes(start - from);
  let size = start;
  const handle = await open(part, start === 0 ? "w" : "r+").catch((error: unknown) => {
    throw diskFault(error, part);
  });
  try {
    for await (const bytes of answer.body ?? []) {
      beat();
      if (size + bytes.length > file.size) {
        await handle.truncate(0);
        download.onBytes(-size);
        throw tooLong(storing);
      }
      await handle.write(bytes, 0, bytes.length, size).catch((error: unknown) => {
        throw diskFault(error, part);
      });
      size += bytes.length;
      download.onBytes(bytes.length);
    }
    if (size === file.size) await handle.datasync();
  } finally {
    await handle.close();
  }
  if (size < file.size) {
    throw broken(storing, `sent ${size} of ${file.size} bytes and ended`);
  }
}

/** Where the answer begins; undefined when it is no part of this file. */
function startOf({ status, headers }: Response, from: number, size: number): number | undefined {
  if (status === 206) {
    const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    const begin = Number(found?.[1] ?? -1);
    const whole = found?.[2] === "*" ? size : Number(found?.[2] ?? -1);
    return begin === from && whole === size ? begin : undefined;
  }
  return status === 416 ? undefined : 0;
}

function broken({ download, file }: Storing, did: string): Fault {
  return new Fault(
    "model.failed",
    `The hub at \`${download.hub.shown}\` ${did}, for \`${file.path}\`. Pull again: it goes on where it stopped.`,
  );
}

function tooLong({ download, file }: Storing): Fault {
  return new Fault(
    "refused.checksum",
    `The hub at \`${download.hub.shown}\` sent more than the ${file.size} bytes that \`${file.path}\` has. What came ` +
      "was deleted.",
  );
}
