import { randomUUID } from "node:crypto";
import type { VectorRecord } from "../../src/contracts/index.ts";
import { atLeast, type BenchRow } from "../row.ts";
import { inTurns, secondsOf } from "./in-turns.ts";
import { dimension, makeRecords } from "./records.ts";
import type { Store, Way } from "./store.ts";
import { throughAdapter } from "./through-adapter.ts";

const rounds = 3;
/** Of a round's records, what a trial of one way writes. */
const trialShare = 0.5;

/**
 * Records per second through the adapter and through the SDK by hand, both until all can be read. Before, the SDK is
 * tried in each of its ways, and the fastest one is compared with. Alternating, the medians compared.
 */
export async function speedRow(store: Store, address: string): Promise<BenchRow> {
  const records = makeRecords(store.recordsPerRound);
  const some = records.slice(0, records.length * trialShare);
  // The adapter first, because it chooses settings of LanceDB's driver that hold for the process.
  await throughAdapter(store, address, some);
  const way = await fastest(store, address, some);
  const [adapter, byHand]: [number[], number[]] = [[], []];
  const measure = {
    adapter: async () => adapter.push(rate(await throughAdapter(store, address, records))),
    byHand: async () => byHand.push(rate(await throughSdk(store, address, records, way))),
  };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes second finds the server busy with what the first one left behind.
    const order =
      round % 2 === 0 ? (["byHand", "adapter"] as const) : (["adapter", "byHand"] as const);
    for (const side of order) await measure[side]();
  }
  return atLeast({
    name: `sinks: ${store.name}, the adapter against the SDK`,
    unit: "%",
    reach: 90,
    reached: (100 * median(adapter)) / median(byHand),
    note:
      `${spread(adapter)} against ${spread(byHand)} records/s of ${dimension} numbers; the SDK at its best with ` +
      `${way.recordsPerWrite} records a write, ${way.concurrent} at once; round by round ` +
      `${adapter.map((value, round) => Math.round((100 * value) / (byHand[round] ?? NaN))).join(", ")} %` +
      (store.remark === undefined ? "" : `; ${store.remark}`),
  });

  function rate(seconds: number): number {
    return records.length / seconds;
  }
}

/** The fastest of the SDK's ways. */
async function fastest(
  store: Store,
  address: string,
  records: readonly VectorRecord[],
): Promise<Way> {
  let best: { readonly way: Way; readonly seconds: number } | undefined;
  for (const way of store.ways) {
    const seconds = await throughSdk(store, address, records, way);
    if (best === undefined || seconds < best.seconds) best = { way, seconds };
  }
  if (best === undefined) throw new Error(`${store.name} names no way to drive its SDK.`);
  return best.way;
}

/** Seconds through the SDK. */
async function throughSdk(
  store: Store,
  address: string,
  records: readonly VectorRecord[],
  { recordsPerWrite, concurrent }: Way,
): Promise<number> {
  const name = `H${randomUUID().replaceAll("-", "").slice(0, 20)}`;
  const byHand = await store.openByHand(address, name);
  const slices = Array.from({ length: Math.ceil(records.length / recordsPerWrite) }, (_, index) =>
    records.slice(index * recordsPerWrite, (index + 1) * recordsPerWrite),
  );
  const seconds = await secondsOf(async () => {
    await inTurns(slices, concurrent, (slice) => byHand.write(slice));
    const count = await byHand.count();
    if (count !== records.length) throw new Error(`${count} records arrived in ${store.name}.`);
  });
  await byHand.close();
  await store.drop(address, name);
  return seconds;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN;
}

function spread(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.round);
  return `${Math.round(median(values))} (${least}–${most})`;
}
