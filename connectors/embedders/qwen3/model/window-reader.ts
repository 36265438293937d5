import type { FileHandle } from "node:fs/promises";

const windowBytes = 256 * 1024;

/** Reads a large file forwards, a window at a time; what is skipped is not read. */
export class WindowReader {
  readonly #file: FileHandle;
  /** The length of the file. */
  readonly size: number;
  /** Where the next byte is read. */
  position = 0;
  readonly #window = Buffer.alloc(windowBytes);
  #start = 0;
  #end = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** The next byte; undefined at the end of the file. */
  async byte(): Promise<number | undefined> {
    if (this.position < this.#start || this.position >= this.#end) await this.#fill();
    const byte = this.#window[this.position - this.#start];
    if (this.position >= this.#end) return undefined;
    this.position += 1;
    return byte;
  }

  /** The next bytes, fewer at the end of the file; its own copy. For short texts only. */
  async bytes(length: number): Promise<Buffer> {
    const start = this.position - this.#start;
    if (start >= 0 && this.position + length <= this.#end) {
      this.position += length;
      return Buffer.from(this.#window.subarray(start, start + length));
    }
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - this.position)));
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, this.position);
    this.position += bytesRead;
    return bytes.subarray(0, bytesRead);
  }

  async #fill(): Promise<void> {
    const { bytesRead } = await this.#file.read(this.#window, 0, windowBytes, this.position);
    this.#start = this.position;
    this.#end = this.position + bytesRead;
  }
}
