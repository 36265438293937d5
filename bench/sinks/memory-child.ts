import type { VectorRecord } from "../../src/contracts/index.ts";
import { peakMb } from "../peak.ts";
import { makeRecords } from "./records.ts";
import { findStore } from "./stores.ts";
import { openNew, writeAll } from "./through-adapter.ts";

/** What the process took, in megabytes. */
export interface Peaks {
  readonly records: number;
  /** After these many records, `earlyMb` was the peak. */
  readonly from: number;
  readonly earlyMb: number;
  /** The peak when all were written. */
  readonly writtenMb: number;
  /** The peak when housekeeping was done and all were read back. */
  readonly scannedMb: number;
  readonly seconds: number;
}

const total = 100_000;
const early = 20_000;
const madeAtOnce = 100;

// The child of the memory rows: writes to a store, scans it, and prints its peaks as JSON.
const [name = "", address = ""] = process.argv.slice(2);
const store = findStore(name);
const { signal } = new AbortController();
const started = performance.now();
const sink = store.makeSink(address, "Memory", store.forMemory);
const collection = await openNew(sink);
let earlyMb = 0;
await writeAll(collection, records());
const writtenMb = peakMb();
await collection.optimize?.(signal);
let scanned = 0;
for await (const page of collection.scan({ pipeline: "bench" }, signal)) {
  scanned += page.length;
}
if (scanned !== total) throw new Error(`${scanned} records scanned in ${name}.`);
await sink.close();
const peaks: Peaks = {
  records: total,
  from: early,
  earlyMb,
  writtenMb,
  scannedMb: peakMb(),
  seconds: (performance.now() - started) / 1000,
};
console.log(JSON.stringify(peaks));

/** Made as they are asked for. */
function* records(): Generator<VectorRecord> {
  for (let made = 0; made < total; made += madeAtOnce) {
    if (made === early) earlyMb = peakMb();
    yield* makeRecords(madeAtOnce);
  }
}
