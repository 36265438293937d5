import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** What the guard is told: one object per line. */
export interface GuardOrder {
  /** Process groups, by the id of their first process. */
  readonly group?: number;
  /** Files and folders, absolute. */
  readonly path?: string;
  /** False when the thing is gone, and not the guard's business any more. */
  readonly watched: boolean;
}

let orders: Writable | undefined;

/** Has a process group killed when this process ends, however it ends. Call again with false once it is gone. */
export function guardGroup(group: number, watched = true): void {
  send({ group, watched });
}

/** Has a file or folder removed when this process ends, however it ends. Call again with false once it is gone. */
export function guardPath(path: string, watched = true): void {
  send({ path, watched });
}

/**
 * The guard is a process of its own, in a session of its own, that reads orders from a pipe. Whatever becomes of us,
 * SIGKILL included, the operating system closes the pipe, and the guard cleans up.
 */
function send(order: GuardOrder): void {
  orders ??= startGuard();
  orders.write(`${JSON.stringify(order)}\n`);
}

function startGuard(): Writable {
  const program = fileURLToPath(new URL("guard-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  // A guard that somebody killed protects nothing, but it is no reason to fail.
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.unref();
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return child.stdin;
}
