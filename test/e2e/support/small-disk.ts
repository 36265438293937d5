import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Why no small disk can be made here; undefined when it can. */
export const noSmallDisk: string | undefined = tryMount();

function tryMount(): string | undefined {
  if (process.platform !== "linux") return "a file system in memory is only made on Linux";
  const folder = join(tmpdir(), `sluice-mount-${process.pid}`);
  try {
    mkdirSync(folder);
    mount(folder, 1);
    execFileSync("umount", [folder], { stdio: "ignore" });
    return undefined;
  } catch {
    return "mounting a file system in memory needs root";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mount(folder: string, megabytes: number): void {
  const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder];
  execFileSync("mount", options, { stdio: "ignore" });
}

/** A disk of its own, that can be filled to the last byte. */
export interface SmallDisk {
  /** Fills it until only so many bytes are left. */
  fill(leave: number): Promise<void>;
  /** Removes what filled it. */
  empty(): Promise<void>;
}

/** Puts a small disk where a folder is to be, until the test ends. */
export async function mountSmallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  mount(folder, megabytes);
  onTestFinished(() => void execFileSync("umount", ["-l", folder], { stdio: "ignore" }));
  const filler = join(folder, "filler");
  return {
    async fill(leave) {
      await using file = await open(filler, "w");
      const part = Buffer.alloc(4_096);
      while (await file.write(part).then(({ bytesWritten }) => bytesWritten === part.length, full));
      if (leave > 0) await file.truncate((await file.stat()).size - leave);
    },
    empty: () => rm(filler),
  };
}

function full(error: unknown): false {
  if ((error as { readonly code?: unknown }).code === "ENOSPC") return false;
  throw error;
}
