import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../faults/index.ts";

/** A chunk ready to be written, without its vector. */
export interface ReadyChunk {
  readonly id: string;
  readonly text: string;
  readonly headings: readonly string[];
  readonly page: number | undefined;
  readonly position: number;
  /** In how many parts it was embedded, where that is more than one. */
  readonly parts?: number;
}

/** Some chunks of a document with their vectors, all of one length. */
export interface Window {
  readonly chunks: readonly ReadyChunk[];
  readonly vectors: readonly Float32Array[];
}

/** Documents whose chunks and vectors take more than this many bytes go on in a file. */
const memoryBytes = 16 * 1024 * 1024;

/**
 * Holds the chunks of one document between embedding and writing: small documents in memory, large ones in a temporary
 * file that has no name and vanishes with the process.
 */
export class Spool {
  #windows: Window[] = [];
  #bytes = 0;
  #file: FileHandle | undefined;
  #frames: { readonly position: number; readonly json: number; readonly vectors: number }[] = [];
  #end = 0;

  async append(window: Window): Promise<void> {
    this.#bytes += sizeOf(window);
    if (this.#file === undefined && this.#bytes <= memoryBytes) {
      this.#windows.push(window);
      return;
    }
    this.#file ??= await openNameless();
    for (const held of this.#windows.splice(0)) await this.#write(this.#file, held);
    await this.#write(this.#file, window);
  }

  /** All windows in order; may be read several times. */
  async *windows(): AsyncGenerator<Window, void, undefined> {
    yield* this.#windows;
    for (const frame of this.#frames) {
      if (this.#file === undefined) return;
      const bytes = Buffer.alloc(frame.json + frame.vectors);
      await readWhole(this.#file, bytes, frame.position);
      const chunks = JSON.parse(bytes.toString("utf8", 0, frame.json)) as ReadyChunk[];
      yield { chunks, vectors: splitVectors(bytes.subarray(frame.json), chunks.length) };
    }
  }

  async close(): Promise<void> {
    this.#windows = [];
    this.#frames = [];
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #write(file: FileHandle, window: Window): Promise<void> {
    const json = Buffer.from(JSON.stringify(window.chunks));
    const vectors = Buffer.concat(
      window.vectors.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength)),
    );
    const { bytesWritten } = await file.writev([json, vectors], this.#end).catch(unspooled);
    // A disk that becomes full takes a part, and says so only to the next write.
    if (bytesWritten < json.length + vectors.length) unspooled({ code: "ENOSPC" });
    this.#frames.push({ position: this.#end, json: json.length, vectors: vectors.length });
    this.#end += json.length + vectors.length;
  }
}

async function readWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) unspooled(new Error("The spool is shorter than what was written."));
    done += bytesRead;
  }
}

function sizeOf(window: Window): number {
  let bytes = 0;
  for (const chunk of window.chunks) bytes += chunk.text.length * 2 + 200;
  for (const vector of window.vectors) bytes += vector.byteLength;
  return bytes;
}

function splitVectors(bytes: Buffer, count: number): Float32Array[] {
  const all = new Float32Array(bytes.byteLength / 4);
  Buffer.from(all.buffer).set(bytes);
  const length = count === 0 ? 0 : all.length / count;
  return Array.from({ length: count }, (_, index) =>
    all.subarray(index * length, (index + 1) * length),
  );
}

function unspooled(error: unknown): never {
  const full = (error as { readonly code?: unknown }).code === "ENOSPC";
  throw new Fault(
    full ? "state.full" : "state.unwritable",
    `A large document could not be spooled to ${tmpdir()}: ${full ? "the disk is full" : "it cannot be written"}. ` +
      "Make room there, or set TMPDIR to another folder, and run again.",
    { cause: error },
  );
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `sluice-${randomUUID()}.spool`);
  const file = await open(path, "wx+", 0o600).catch(unspooled);
  await unlink(path);
  return file;
}
