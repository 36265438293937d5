/**
 * Waits until the process that started it ends, then kills the process groups and removes the files that it was told
 * of. Started by `guard.ts`; reads its orders from standard input.
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import type { GuardOrder } from "./guard.ts";

const groups = new Set<number>();
const paths = new Set<string>();

/** Puts in what is watched, and takes out what is not any more. */
function note<Thing>(things: Set<Thing>, thing: Thing | undefined, watched: boolean): void {
  if (thing === undefined) return;
  if (watched) things.add(thing);
  else things.delete(thing);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { group, path, watched } = JSON.parse(line) as GuardOrder;
  note(groups, group, watched);
  note(paths, path, watched);
}

for (const group of groups) {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
// A process that has been killed may still close files for a moment.
for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 10 });
