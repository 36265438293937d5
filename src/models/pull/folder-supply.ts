import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";
import { readManifest } from "../manifest.ts";
import { isSafePath } from "../safe-path.ts";
import { checksumFault, type ExpectedFile } from "./checksum.ts";
import { diskFault } from "./disk-fault.ts";
import type { ModelSource } from "./model-source.ts";
import type { Supply } from "./pull-model.ts";

const mostFiles = 20_000;

/**
 * The files of a model that were brought in a folder: one that `sluice models pull` filled elsewhere, a clone, or a
 * snapshot in the cache of another program. With a manifest, its hashes are verified.
 */
export async function folderSupply(folder: string, source: ModelSource): Promise<Supply> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw missing(error, folder);
  });
  if (!(await stat(root)).isDirectory()) {
    throw new Fault(
      "config.invalid",
      `\`${folder}\` is a file. Name the folder that holds the model's files.`,
    );
  }
  const manifest = await readManifest(root);
  if (manifest !== undefined && manifest.model !== source.model) {
    throw new Fault(
      "config.invalid",
      `\`${folder}\` holds the model \`${manifest.model}\`, not \`${source.model}\`. Name another folder or model.`,
    );
  }
  const commit = manifest === undefined ? commitOf(root) : manifest.commit;
  return {
    ...source,
    ...(manifest === undefined ? {} : { repository: manifest.repository }),
    ...(commit === undefined ? {} : { commit }),
    files: manifest?.files ?? (await walk(root)),
    verified: manifest !== undefined,
    place: root,
    begun: () => Promise.resolve(0),
    fetch: (file, staging, onBytes, signal) => copy({ root, staging, onBytes }, file, signal),
  };
}

/** Snapshots of other programs are in a folder that is called like the commit. */
function commitOf(root: string): string | undefined {
  const name = basename(root);
  return /^[0-9a-f]{40}$/.test(name) ? name : undefined;
}

/** All files below, through links, but not what version control keeps. */
async function walk(root: string): Promise<readonly ExpectedFile[]> {
  const files: ExpectedFile[] = [];
  const folders = [""];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    const entries = await readdir(join(root, path)).catch((error: unknown) => {
      throw missing(error, join(root, path));
    });
    for (const name of entries) {
      const inner = path === "" ? name : `${path}/${name}`;
      if (name.startsWith(".") || !isSafePath(inner)) continue;
      const found = await stat(join(root, inner)).catch(() => undefined);
      if (found?.isFile() === true) files.push({ path: inner, size: found.size });
      // Deeper folders hold nothing of a model; a link that leads back would never end.
      else if (found?.isDirectory() === true && inner.split("/").length < 4) folders.push(inner);
    }
    if (files.length > mostFiles) {
      throw new Fault(
        "config.invalid",
        `\`${root}\` holds more than ${mostFiles} files. Name the folder of one model.`,
      );
    }
  }
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

interface Copying {
  readonly root: string;
  readonly staging: string;
  readonly onBytes: (count: number) => void;
}

async function copy(
  { root, staging, onBytes }: Copying,
  file: ExpectedFile,
  signal: AbortSignal,
): Promise<string> {
  const target = join(staging, file.path);
  const part = `${target}.part`;
  const sha256 = createHash("sha256");
  let size = 0;
  const count = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      sha256.update(bytes);
      size += bytes.length;
      onBytes(bytes.length);
      done(null, bytes);
    },
  });
  try {
    await mkdir(dirname(target), { recursive: true });
    const from = createReadStream(join(root, file.path), { highWaterMark: 1024 * 1024 });
    await pipeline(from, count, createWriteStream(part, { flush: true }), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (errorCode(error) === "ENOENT") throw missing(error, join(root, file.path));
    throw diskFault(error, target);
  }
  const digest = sha256.digest("hex");
  if (size !== file.size || (file.sha256 !== undefined && file.sha256 !== digest)) {
    await rm(part, { force: true });
    throw checksumFault({ sha256: digest, ...file }, `the folder \`${root}\``);
  }
  await rename(part, target);
  return digest;
}

function missing(error: unknown, path: string): Error {
  if (!/^(?:ENOENT|ENOTDIR)$/.test(errorCode(error))) return diskFault(error, path);
  return new Fault(
    "model.not-found",
    `There is no \`${path}\`. Name the folder that holds the model's files.`,
    { cause: error },
  );
}
