import type { BenchRow } from "../row.ts";
import { memoryRows } from "./memory.ts";
import { speedRow } from "./speed.ts";
import type { Store } from "./store.ts";
import { findStore, stores } from "./stores.ts";

/** The rows of the sinks, store by store, each with its server alone. */
export async function benchSinks(some = stores): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const store of some) rows.push(...(await rowsOf(store)));
  return rows;
}

async function rowsOf(store: Store): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  try {
    await using place = await store.start();
    rows.push(await speedRow(store, place.address));
    rows.push(...(await memoryRows(store, place.address)));
  } catch (error) {
    rows.push(notMeasured(store, error));
  }
  return rows;
}

/** What could not be measured reaches nothing. */
function notMeasured({ name }: Store, error: unknown): BenchRow {
  const note = `not measured: ${error instanceof Error ? error.message : String(error)}`;
  return { name: `sinks: ${name}`, unit: "%", reach: 90, reached: 0, ok: false, note };
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  console.table(await benchSinks(names.length === 0 ? stores : names.map(findStore)));
}
