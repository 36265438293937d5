import { expect, it, onTestFinished } from "vitest";
import type * as LanceDb from "@lancedb/lancedb";
import { Housekeeping } from "../../../../connectors/sinks/lancedb/housekeeping.ts";
import { rawDatabase, temporaryFolder } from "./harness.ts";

/** A table of one row in each of its fragments. */
async function tableOf(fragments: number): Promise<LanceDb.Table> {
  const folder = await temporaryFolder({
    defer: (cleanup) => onTestFinished(() => void cleanup()),
  });
  const database = await rawDatabase(folder);
  const table = await database.createTable("rows", [{ key: 0 }]);
  for (let key = 1; key < fragments; key += 1) await table.add([{ key }]);
  onTestFinished(() => {
    table.close();
    database.close();
  });
  return table;
}

/** Commits of one row until a fresh handle is asked for. */
function commitsUntilStale(housekeeping: Housekeeping): number {
  for (let commits = 1; ; commits += 1) {
    housekeeping.count(1, 0);
    if (housekeeping.stale) return commits;
  }
}

it("asks for a fresh handle the sooner, the more fragments a table has", async () => {
  const housekeeping = new Housekeeping();
  expect(commitsUntilStale(housekeeping)).toBe(64);
  expect(await housekeeping.paysInRun(await tableOf(150))).toBe(false);
  housekeeping.refreshed();
  expect(housekeeping.stale).toBe(false);
  const commits = commitsUntilStale(housekeeping);
  expect(housekeeping.lookDue).toBe(false);
  expect(commits).toBeGreaterThan(32);
  expect(commits).toBeLessThan(56);
});
