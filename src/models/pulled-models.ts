import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../flow/error-code.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { modelsFolder } from "./model-folder.ts";
import { diskFault } from "./pull/disk-fault.ts";
import { replaced, unfinished } from "./pull/staging.ts";

/** A model whose files are on this machine. */
export interface PulledModel {
  readonly folder: string;
  /** Absent while the files are still coming. */
  readonly manifest?: Manifest;
}

/** All models that were pulled into the cache, finished or not, by folder. */
export async function pulledModels(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly PulledModel[]> {
  const root = modelsFolder(environment);
  const found: PulledModel[] = [];
  for (const name of await namesIn(root)) {
    for (const revision of await namesIn(join(root, name))) {
      const folder = join(root, name, revision);
      if (revision.endsWith(replaced)) continue;
      if (revision.endsWith(unfinished)) {
        found.push({ folder });
        continue;
      }
      const manifest = await readManifest(folder).catch((error: unknown) => {
        throw diskFault(error, folder);
      });
      if (manifest !== undefined) found.push({ folder, manifest });
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    return folders.map(({ name }) => name).toSorted();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw diskFault(error, folder);
  }
}
