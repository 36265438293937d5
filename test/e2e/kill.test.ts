import { join } from "node:path";
import { expect, test } from "vitest";
import { ChangingFolder } from "./support/changing-folder.ts";
import { makePlace, type Place } from "./support/place.ts";
import { pick, randomFrom } from "./support/prose.ts";
import { type RunProcess, startRun } from "./support/run-process.ts";
import { begunDocuments, begunIn, recordsOf } from "./support/state-file.ts";
import { idsIn, readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";
import { until } from "./support/until.ts";

const kills = 25;
const killsWhileBegun = 20;
/** Some runs are over before their moment comes. */
const roundsAtMost = 50;

const sinks = ["full", "small"];

const random = randomFrom(25);

/** The documents that this process began and has not settled. */
function begunSince(place: Place, before: ReadonlySet<string>): number {
  return begunIn(place.state).difference(before).size;
}

/**
 * Kills a run when it has been seen with documents begun and unsettled a few times, or, when `anywhere`, a few looks
 * after it started. Tells whether it was killed, and what it left begun.
 */
async function killOne(
  place: Place,
  child: RunProcess,
  anywhere: boolean,
): Promise<{ readonly killed: boolean; readonly begun: number }> {
  const before = begunIn(place.state);
  // Far enough into a write to find it anywhere between the first mark and the last.
  let looks = anywhere ? 50 + pick(random, 300) : 1 + pick(random, 80);
  const reached = (): boolean => {
    if (!child.running) return true;
    if (anywhere || begunSince(place, before) > 0) looks -= 1;
    return looks <= 0;
  };
  expect(await until(reached, 30_000)).toBe(true);
  const { signal } = await child.kill();
  return { killed: signal === "SIGKILL", begun: begunSince(place, before) };
}

/** What the state calls settled is there, and nothing is there that it does not know. */
async function expectTruth(place: Place): Promise<void> {
  for (const sink of sinks) {
    const { certain, possible } = recordsOf(place.state, sink);
    const present = await idsIn(place.index, sink);
    expect([...certain.difference(present)]).toStrictEqual([]);
    expect([...present.difference(possible)]).toStrictEqual([]);
  }
}

test("after 25 SIGKILLs, most of them with documents begun, one run makes the index equal to a fresh one", async () => {
  const more = [
    "chunker: { type: structure, max_tokens: 96, overlap_tokens: 16 }",
    "metadata: { edition: integer }",
  ];
  const place = await makePlace({ sinks: { full: 512, small: 64 }, more });
  const folder = new ChangingFolder(place, random);
  await folder.add(60, 5);
  let killed = 0;
  let begun = 0;
  for (let round = 0; round < roundsAtMost && killed < kills; round += 1) {
    // What is torn is changed again or removed, so that records of a version that never settled must go, too.
    const torn = begunDocuments(place.state);
    await folder.remove(2, torn.slice(0, 1));
    await folder.edit(12, torn.slice(1, 7));
    await folder.add(2, 5);
    await folder.touch(3);
    await using child = startRun(place.file, "--allow-deletions");
    const result = await killOne(place, child, round % 8 === 7);
    await expectTruth(place);
    if (result.killed) killed += 1;
    if (result.killed && result.begun > 0) begun += 1;
  }
  expect(killed).toBe(kills);
  expect(begun).toBeGreaterThanOrEqual(killsWhileBegun);

  const last = await startRun(place.file, "--allow-deletions").ended;
  expect(JSON.parse(last.stdout)).toMatchObject({ status: "succeeded", failures: [] });
  expect(last.code).toBe(0);
  expect(begunIn(place.state).size).toBe(0);

  const elsewhere = ["state.path=fresh.sqlite", "cache.path=fresh-cache.sqlite"];
  const set = sinks.map((sink) => `sinks.${sink}.uri=fresh`);
  expect((await sync(place.file, {}, { set: [...set, ...elsewhere] })).exitCode).toBe(0);
  for (const sink of sinks) {
    const index = await readIndex(place.index, sink);
    expect(index.size).toBeGreaterThan(200);
    expect(index).toStrictEqual(await readIndex(join(place.folder, "fresh"), sink));
  }
}, 180_000);
