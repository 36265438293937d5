import { inspect, isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { RunEvent } from "../../../../src/engine/index.ts";
import { type Contents, type FanOut, unhurried } from "./fan-out.ts";
import type { Fault } from "./faults.ts";
import type { Finding } from "./report.ts";
import { type Rows, type StoreName, storeNames } from "./stores.ts";

/** When a fault begins: before the run, when all is listed and the next write is sent, or after some writes. */
export const moments = ["opening", "listed", "writing"] as const;

export type Moment = (typeof moments)[number];

/** What a round is to play. */
export interface Round {
  readonly fault: Fault;
  readonly store: StoreName;
  readonly moment: Moment;
  /** After how many writes to the store, where the moment is among them. */
  readonly writes: number;
}

type Figures = Pick<Finding, "exitCode" | "brokenMs" | "repairMs" | "records">;

/**
 * The folder changes, a run meets a fault of one store, and the other stores are what a fresh pipeline makes of the
 * folder; after one more run, that store is, too. Nothing is embedded twice.
 */
export async function playRound(fanOut: FanOut, round: Round): Promise<Figures> {
  const { fault, store } = round;
  if (fault.land !== undefined) return playLateRound(fanOut, round, fault.land);
  await fanOut.change();
  const met = await runIntoFault(fanOut, round);
  const bears = storeNames.filter((name) => met.exitCode === 0 || name !== store);
  expectEqual(await fanOut.contents(), await fanOut.fresh(), bears);
  const { duration_ms: repairMs } = (await fanOut.run()).summary;
  return { ...met, repairMs, records: await expectAllWell(fanOut) };
}

/**
 * What a run has sent to a store lands when that run is over, the folder has changed again, and the next run is at
 * work: has opened the store, has written other documents there, or waits until nothing can land any more.
 */
async function playLateRound(
  fanOut: FanOut,
  round: Round,
  land: NonNullable<Fault["land"]>,
): Promise<Figures> {
  const { store, moment } = round;
  await fanOut.change();
  const met = await runIntoFault(fanOut, { ...round, moment: "writing" });
  expect(met.exitCode).toBe(5);
  await fanOut.change();
  const isTime = (event: RunEvent): boolean => {
    if (moment === "listed") return event.kind === "waiting";
    const kind = moment === "opening" ? "target-opened" : "records-written";
    return event.kind === kind && event.sink === store;
  };
  let landed = false;
  const landNow = (): void => {
    landed = land(fanOut, store) || landed;
  };
  const observe = (event: RunEvent): void => {
    if (isTime(event)) landNow();
  };
  const next = await fanOut.run({ observe }, farHorizon(store));
  // To a run that has waited for nothing, it happens at the worst moment.
  if (!landed) landNow();
  const { duration_ms: repairMs, ...summary } = next.summary;
  expect(summary).toMatchObject({ status: "succeeded", failures: [] });
  const records = await expectAllWell(fanOut);
  expect(landed).toBe(true);
  return { ...met, repairMs, records };
}

/** What is on its way may land for 20 s or longer, so that a slow machine does not come too late with it. */
function farHorizon(store: StoreName): readonly string[] {
  return [...unhurried(store), `sinks.${store}.timeout_ms=15000`];
}

/** Runs, has the fault strike at its moment, and heals it when the run is over. */
async function runIntoFault(
  fanOut: FanOut,
  { fault, store, moment, writes }: Round,
): Promise<Pick<Figures, "exitCode" | "brokenMs">> {
  let left = writes;
  let hasStruck = false;
  const strike = (when: "now" | "next write"): void => {
    if (hasStruck) return;
    hasStruck = true;
    fault.strike(fanOut, store, when);
  };
  if (moment === "opening") strike("now");
  const observe = (event: RunEvent): void => {
    if (moment === "listed" && event.kind === "listing-ended") strike("next write");
    if (moment !== "writing" || event.kind !== "records-written" || event.sink !== store) return;
    if (event.upserted > 0) left -= 1;
    if (left <= 0) strike("now");
  };
  const set = [...unhurried(store), ...fault.set(store)];
  const { summary, exitCode } = await fanOut.run({ observe }, set);
  const felt = fault.felt(fanOut, store);
  await fault.heal(fanOut, store);
  expect(hasStruck).toBe(true);
  expect(felt).toBeGreaterThan(0);
  const told = JSON.stringify(summary);
  expect(fault.isBorne === true ? [0] : [0, 5], told).toContain(exitCode);
  if (exitCode !== 0) expect(summary.error?.code, told).toMatch(/^sink\./);
  return { exitCode, brokenMs: summary.duration_ms };
}

/** All stores hold what a fresh pipeline makes of the folder, and nothing was embedded twice; gives how many records. */
async function expectAllWell(fanOut: FanOut): Promise<number> {
  const fresh = await fanOut.fresh();
  expectEqual(await fanOut.contents(), fresh);
  await fanOut.expectVerified();
  const times = fanOut.embeddings();
  expect(times.filter((count) => count !== 1)).toEqual([]);
  return fresh.lancedb.size;
}

/** Stores hold the same records, equal in everything. */
export function expectEqual(
  found: Contents,
  wanted: Contents,
  names: readonly StoreName[] = storeNames,
): void {
  for (const name of names) {
    expect(differences(found[name], wanted[name]), `records of ${name}`).toEqual(none);
  }
}

const none = { missing: [], left: [], other: [] };

/** Ids, and what of a record is other than it should be. */
function differences(found: Rows, wanted: Rows) {
  const both = [...wanted.keys()].filter((id) => found.has(id));
  return {
    missing: [...wanted.keys()].filter((id) => !found.has(id)),
    left: [...found.keys()].filter((id) => !wanted.has(id)),
    other: both.flatMap((id) => unequal(found.get(id), wanted.get(id))),
  };
}

function unequal(found: object = {}, wanted: object = {}): readonly unknown[] {
  if (isDeepStrictEqual(found, wanted)) return [];
  const told = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted)
    .filter(([key, value]) => !isDeepStrictEqual(told.get(key), value))
    .map(([key, value]) => [key, inspect(told.get(key)), inspect(value)]);
}
