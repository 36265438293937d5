import type { BigIntStats } from "node:fs";

/** What changes with the content: when it was written, when anything about it changed, its size, which file it is. */
export function revisionOf(stats: BigIntStats): string {
  return [stats.mtimeNs, stats.ctimeNs, stats.size, stats.ino]
    .map((part) => part.toString(36))
    .join(".");
}
