import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../../../src/faults/index.ts";
import { errorCode } from "../../../src/flow/error-code.ts";

/** What stands where a table's folder would be. */
export type Place = "absent" | "table";

/** Folders that Lance makes before the first manifest: what a creation that was killed may leave. */
const empties = new Set(["_transactions", "_versions", "_indices", "_deletions"]);

/**
 * Looks at the database folder and the table's folder without touching them. Rejects with `sink.foreign` or
 * `sink.corrupt` when there is something that is no table.
 */
export async function lookAt(folder: string, tableFolder: string): Promise<Place> {
  if ((await kindOf(folder)) === "file") {
    throw foreign(folder, "is a file, expected a folder. Correct `uri`");
  }
  if ((await entries(folder)).includes("_versions")) {
    throw foreign(folder, "is a table itself. Set `uri` to the folder above it");
  }
  const kind = await kindOf(tableFolder);
  if (kind === "absent") return "absent";
  if (kind === "file") throw foreign(tableFolder, "is a file, expected the folder of a table");
  const manifests = (await entries(join(tableFolder, "_versions"))).filter((name) =>
    name.endsWith(".manifest"),
  );
  if (manifests.length > 0) return "table";
  const content = await entries(tableFolder);
  if (content.every((name) => empties.has(name))) return "absent";
  if (content.includes("data")) {
    throw new Fault(
      "sink.corrupt",
      `The table ${tableFolder} has data but no manifest. Restore the folder, or delete it and run again to rebuild it.`,
    );
  }
  throw foreign(tableFolder, "is not a LanceDB table. Choose another `uri` or `collection`");
}

/** Rejects with `sink.unauthorized` unless the nearest existing folder can be written. */
export async function checkWritable(folder: string): Promise<void> {
  let existing = folder;
  while ((await kindOf(existing)) === "absent" && dirname(existing) !== existing) {
    existing = dirname(existing);
  }
  try {
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Fault(
      "sink.unauthorized",
      `The folder ${existing} cannot be written by this user. Check its permissions, or change \`uri\`.`,
      { cause },
    );
  }
}

function foreign(path: string, problem: string): Fault {
  return new Fault("sink.foreign", `${path} ${problem}.`);
}

async function kindOf(path: string): Promise<"absent" | "folder" | "file"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return "absent";
    if (errorCode(cause) === "ENOTDIR") throw foreign(path, "lies under a file, expected a folder");
    throw unreadable(path, cause);
  }
}

async function entries(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(cause))) return [];
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault("sink.unauthorized", `${path} cannot be read. Check its permissions.`, {
    cause,
  });
}
