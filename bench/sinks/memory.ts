import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { allocator, nodeOptions } from "../../bin/memory-settings.js";
import { atMost, type BenchRow } from "../row.ts";
import type { Peaks } from "./memory-child.ts";
import type { Store } from "./store.ts";

/** As much as memory may grow with documents: a peak that grows by less is flat. */
const bytesPerRecord = 512;

/**
 * A process with the launcher's settings writes 100,000 records, and reads them back: its peak, and how much the peak
 * grew after the first records.
 */
export async function memoryRows(store: Store, address: string): Promise<readonly BenchRow[]> {
  const program = fileURLToPath(new URL("memory-child.ts", import.meta.url));
  const env = { ...process.env, ...allocator };
  const args = [...nodeOptions, program, store.name, address];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch(shorten);
  const { earlyMb, writtenMb, scannedMb, records, from, seconds } = JSON.parse(stdout) as Peaks;
  return [
    atMost({
      name: `sinks: ${store.name}, peak memory over ${records} records`,
      unit: "MB",
      reach: store.peakMb,
      reached: scannedMb,
      note: `written, then scanned as verify does, in ${Math.round(seconds)} s; includes Node itself`,
    }),
    atMost({
      name: `sinks: ${store.name}, growth of the peak from record ${from}`,
      unit: "MB",
      reach: ((records - from) * bytesPerRecord) / 1e6,
      reached: writtenMb - earlyMb,
      note: `${Math.round(earlyMb)} MB at ${from} records, ${Math.round(writtenMb)} MB at ${records}`,
    }),
  ];
}

/** Rejects with the line of a child's last words that says what happened. */
function shorten(error: Error & { readonly stderr: string }): never {
  const [line = error.message] = /^\w*(?:Error|Fault): .*/m.exec(error.stderr) ?? [];
  throw new Error(line, { cause: error });
}
