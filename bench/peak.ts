import { readFileSync } from "node:fs";

/**
 * The most memory that this program had resident, in megabytes (Linux). Not `resourceUsage().maxRSS`, which begins with
 * what the parent had when it started us.
 */
export function peakMb(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
