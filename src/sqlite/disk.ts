import { statfsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** What a database needs of the disk beneath it, besides SQLite's own access. */
export interface Disk {
  /** The file system's magic number, as Linux gives it; undefined where it cannot be told. */
  fileSystemType(folder: string): number | undefined;
  /** Resolves when everything written to the file has reached the medium. */
  sync(file: FileHandle): Promise<void>;
}

/** The machine's own disk. */
export const localDisk: Disk = {
  fileSystemType: (folder) => statfsSync(folder).type,
  sync: (file) => file.datasync(),
};
