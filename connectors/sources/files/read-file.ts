import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { raceAbort } from "../../../src/flow/abort.ts";
import { changed, faultOfRead, notAFile } from "./faults.ts";
import { revisionOf } from "./revision.ts";

const chunkBytes = 256 * 1024;
/** Never follows a link, never waits for the other end of a pipe. Windows has neither flag. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export interface ListedFile {
  readonly id: string;
  readonly path: string;
  /** As the listing saw it. */
  readonly stats: BigIntStats;
}

/**
 * Streams a file that is still the one listed, and proves at the end that it did not change meanwhile. Reads no more
 * than the listed size.
 */
export async function* readFile(
  file: ListedFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await openFile(file, signal);
  try {
    await expectUnchanged(file, handle, signal);
    let left = Number(file.stats.size);
    while (left > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(left, chunkBytes));
      const { bytesRead } = await attempt(file, handle.read(buffer, 0, buffer.length), signal);
      if (bytesRead === 0) throw changed(file.id);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    await expectUnchanged(file, handle, signal);
  } finally {
    // Closing waits for a read that hangs (a dead network share): an abort must not.
    const closing = handle.close().catch(() => undefined);
    if (!signal.aborted) await closing;
  }
}

async function openFile(file: ListedFile, signal: AbortSignal): Promise<FileHandle> {
  signal.throwIfAborted();
  const opening = open(file.path, flags);
  try {
    return await attempt(file, opening, signal);
  } catch (error) {
    // After an abort the file may still open.
    void opening.then((handle) => handle.close()).catch(() => undefined);
    throw error;
  }
}

async function expectUnchanged(
  file: ListedFile,
  handle: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  const now = await attempt(file, handle.stat({ bigint: true }), signal);
  if (!now.isFile()) throw notAFile(file.id);
  if (now.dev !== file.stats.dev || revisionOf(now) !== revisionOf(file.stats)) {
    throw changed(file.id);
  }
}

async function attempt<T>(file: ListedFile, work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await raceAbort(work, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw faultOfRead(error, file.id);
  }
}
