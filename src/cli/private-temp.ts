import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../flow/error-code.ts";

const abandonedAfterMs = 24 * 60 * 60 * 1000;
const prefix = "sluice-process-";

/**
 * Gives this process a temporary folder of its own, which goes away with it: native libraries leave files and folders
 * behind otherwise. Folders of processes that were killed are removed a day later.
 */
export function usePrivateTemp(): void {
  const parent = tmpdir();
  removeAbandoned(parent);
  const folder = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  process.env["TMPDIR"] = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${prefix}(\\d+)-\\w{6}$`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      // Another container may share the folder, but not the process numbers.
      if (Date.now() - statSync(join(parent, name)).mtimeMs < abandonedAfterMs) continue;
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // It belongs to somebody else, who will remove it.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
