import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Lease } from "../../src/sqlite/index.ts";
import { guardPath } from "./guard.ts";
import type { ServerKind } from "./server-kind.ts";

export interface InstallOptions {
  /** Where installed servers are kept between runs. */
  readonly cache?: string;
  /** Gets a sentence when there is something to wait for. */
  readonly report?: (sentence: string) => void;
}

/** How long to wait for another process that installs the same. */
const otherInstallerMs = 45 * 60_000;

/**
 * The folder of an installed server, which is made at the first call. It appears whole or not at all: a process that
 * dies in the middle leaves a partial folder that the next one removes, and of several processes only one installs.
 */
export async function installServer(
  kind: ServerKind,
  { cache = defaultCache(), report = () => {} }: InstallOptions = {},
): Promise<string> {
  const key = `${kind.name}-${kind.version}`;
  const folder = join(cache, key);
  if (await isInstalled(kind, folder)) return folder;
  await mkdir(cache, { recursive: true });
  const lease = await takeLease(join(cache, `${key}.lock`), () =>
    report(`Another process installs ${kind.name} ${kind.version}; waiting for it.`),
  );
  try {
    if (await isInstalled(kind, folder)) return folder;
    report(`Installing ${kind.name} ${kind.version}, which takes ${kind.installTakes}.`);
    const leftovers = (await readdir(cache)).filter((name) => name.startsWith(`${key}.partial-`));
    for (const name of [...leftovers, key]) await remove(join(cache, name));
    const partial = await mkdtemp(join(cache, `${key}.partial-`));
    guardPath(partial);
    try {
      await kind.install(partial);
      if (!(await isInstalled(kind, partial))) {
        throw new Error(`Installing ${kind.name} made no \`${kind.program}\`.`);
      }
      await rename(partial, folder);
    } finally {
      await remove(partial);
      guardPath(partial, false);
    }
    return folder;
  } finally {
    lease.release();
  }
}

/** `SLUICE_SERVERS_CACHE`, or a folder beside other caches of this user. */
function defaultCache(): string {
  const { SLUICE_SERVERS_CACHE: chosen } = process.env;
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(homedir(), ".cache", "sluice-servers");
}

/** A link to a program that is gone, such as another version of Python, does not count. */
async function isInstalled(kind: ServerKind, folder: string): Promise<boolean> {
  return access(join(folder, kind.program), constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The operating system releases it when the process dies. */
async function takeLease(path: string, onWait: () => void): Promise<Lease> {
  const end = Date.now() + otherInstallerMs;
  for (let told = false; ; told = true) {
    const lease = Lease.acquire(path, 0);
    if (lease !== undefined) return lease;
    if (!told) onWait();
    if (Date.now() > end) throw new Error(`Another process holds \`${path}\` and does not end.`);
    await wait(200);
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 });
}
