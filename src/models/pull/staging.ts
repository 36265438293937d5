import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";
import { Lease } from "../../sqlite/index.ts";
import { modelsFolder } from "../model-folder.ts";
import { type Manifest, manifestName, readManifest, writeManifest } from "../manifest.ts";
import { diskFault } from "./disk-fault.ts";
import { refuseIrreplaceable } from "./replaceable.ts";

/** The suffix of a folder whose files are still coming; it lies beside the one that they go to. */
export const unfinished = ".sluice-partial";
/** The suffix of a folder that gives its place to another one. Nobody else calls a folder so: it is removed. */
export const replaced = ".sluice-old";

/**
 * The place where a model's files are gathered before they become its folder, all at once. Only one process works on a
 * model: the others are refused, by a lock that goes with the process that holds it.
 */
export class Staging {
  /** Where the model is to be in the end. */
  readonly folder: string;
  readonly path: string;
  readonly #lease: Lease;

  private constructor(folder: string, lease: Lease) {
    this.folder = folder;
    this.path = `${folder}${unfinished}`;
    this.#lease = lease;
  }

  static async open(
    folder: string,
    environment: Readonly<Record<string, string | undefined>>,
  ): Promise<Staging> {
    await refuseIrreplaceable(folder);
    const lease = await acquire(folder, join(modelsFolder(environment), ".locks"));
    const staging = new Staging(folder, lease);
    try {
      await staging.#recover();
    } catch (error) {
      lease.release();
      throw diskFault(error, folder);
    }
    return staging;
  }

  /** Ends what a process began that died while it put the folder in its place. */
  async #recover(): Promise<void> {
    const before = `${this.folder}${replaced}`;
    if (!existsSync(this.folder)) {
      // The manifest is the last thing that is written.
      const isWhole = (await readManifest(this.path)) !== undefined;
      if (isWhole) await rename(this.path, this.folder);
      else if (existsSync(before)) await rename(before, this.folder);
    }
    await rm(before, { recursive: true, force: true });
  }

  /** What the folder holds of this model already; refuses a folder that somebody else filled, or for another model. */
  async present(model: string): Promise<Manifest | undefined> {
    try {
      const manifest = await readManifest(this.folder);
      if (manifest !== undefined && manifest.model !== model) throw this.#other(manifest.model);
      if (manifest !== undefined) return manifest;
      const names = await readdir(this.folder);
      if (names.length === 0) return undefined;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw diskFault(error, this.folder);
    }
    throw new Fault(
      "config.invalid",
      `\`${this.folder}\` holds files and no \`${manifestName}\`, so sluice did not put them there. Name an empty ` +
        "folder with `--into`, or move the files away.",
    );
  }

  /** Refuses to put a file where somebody else put one. */
  refuseOther(path: string, present: Manifest | undefined): void {
    const file = join(this.folder, path);
    if (present?.files.some((known) => known.path === path) === true || !existsSync(file)) return;
    throw new Fault(
      "config.invalid",
      `\`${path}\` is in \`${this.folder}\` already, and sluice did not put it there. Move it away, or name another ` +
        "folder with `--into`.",
    );
  }

  #other(model: string): Fault {
    return new Fault(
      "config.invalid",
      `\`${this.folder}\` holds the model \`${model}\`. Name another folder with \`--into\`.`,
    );
  }

  /** Makes the place, and refuses when the disk has no room for so many bytes more. */
  async prepare(bytes: number): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true });
      await rm(join(this.path, manifestName), { force: true });
      const { bavail, bsize } = await statfs(this.path);
      if (bavail * bsize >= bytes) return;
      throw new Fault(
        "model.full",
        `The disk of \`${this.folder}\` has ${megabytes(bavail * bsize)} free and ${megabytes(bytes)} are still to ` +
          "come. Make room, or name another folder with `--into`.",
      );
    } catch (error) {
      throw diskFault(error, this.path);
    }
  }

  /** Takes over a file of the present folder, without copying where the file system can. */
  async keep(path: string): Promise<void> {
    const [from, to] = [join(this.folder, path), join(this.path, path)];
    try {
      await mkdir(dirname(to), { recursive: true });
      await rm(to, { force: true });
      await link(from, to).catch(() => copyFile(from, to));
    } catch (error) {
      throw diskFault(error, to);
    }
  }

  /** Makes what was gathered the model's folder. What somebody put beside the present files goes with it. */
  async finish(manifest: Manifest, present: Manifest | undefined): Promise<void> {
    const before = `${this.folder}${replaced}`;
    try {
      const wanted = new Set(manifest.files.map(({ path }) => path));
      for (const path of await filesIn(this.path)) {
        if (!wanted.has(path)) await rm(join(this.path, path));
      }
      const ours = new Set([manifestName, ...(present?.files ?? []).map(({ path }) => path)]);
      for (const path of await filesIn(this.folder)) if (!ours.has(path)) await this.keep(path);
      await writeManifest(this.path, manifest);
      await rm(before, { recursive: true, force: true });
      await rename(this.folder, before).catch((error: unknown) => {
        if (errorCode(error) !== "ENOENT") throw error;
      });
      await rename(this.path, this.folder);
      await rm(before, { recursive: true, force: true });
    } catch (error) {
      throw diskFault(error, this.folder);
    }
  }

  /** Lets others work on the model. May be called twice. */
  close(): void {
    this.#lease.release();
  }
}

/** Takes the lock of a folder; refuses when another process has it. */
async function acquire(folder: string, locks: string): Promise<Lease> {
  let lease: Lease | undefined;
  try {
    await mkdir(locks, { recursive: true });
    lease = Lease.acquire(join(locks, `${hash("sha256", folder).slice(0, 32)}.lock`), 0);
  } catch (error) {
    if (errorCode(error) === "") throw error;
    throw new Fault(
      "model.unwritable",
      `The lock in \`${locks}\` cannot be made (${errorCode(error)}). Set \`XDG_CACHE_HOME\` to a folder that can be ` +
        "written; locks are there also for `--into`.",
      { cause: error },
    );
  }
  if (lease !== undefined) return lease;
  throw new Fault(
    "state.locked",
    `Another \`sluice models pull\` is at work on \`${folder}\`. Wait for it, or stop it.`,
  );
}

/** The paths of all files in a folder, relative to it and with `/`; none where there is no folder. */
async function filesIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map(({ parentPath, name }) =>
    join(parentPath, name)
      .slice(folder.length + 1)
      .replaceAll("\\", "/"),
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576).toLocaleString("en-US")} MB`;
}
