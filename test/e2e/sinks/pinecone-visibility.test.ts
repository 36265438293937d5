import { describe, expect, it } from "vitest";
import { forget, verify } from "../../../src/engine/index.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { ChangingFolder } from "../support/changing-folder.ts";
import {
  makePineconePlace,
  namespace,
  type PineconePlace,
  rawIndex,
} from "../support/pinecone-place.ts";
import { randomFrom } from "../support/prose.ts";
import { startRun } from "../support/run-process.ts";
import { faultOf, sync } from "../support/sync.ts";

const clean = { search: { missing: 0, orphaned: 0, stale: 0 } };
const impatient = ["sinks.search.visibility_timeout_ms=40"];

interface LatePlace extends PineconePlace {
  readonly changing: ChangingFolder;
  /** From now on reads see writes of records so much later; markers are seen at once. */
  delay(milliseconds: number): void;
  /** Time passes for the service. */
  pass(milliseconds: number): void;
}

/** An index that a run has made, in a service whose delays a test decides. */
async function makeLatePlace(seed: number): Promise<LatePlace> {
  let passed = 0;
  const clock = { ...systemClock, monotonic: () => performance.now() + passed };
  const place = await makePineconePlace({ clock, visibilityDelayMs: 0 });
  const folder = new ChangingFolder(place, randomFrom(seed));
  await folder.add(6, 4);
  expect((await sync(place.file)).exitCode).toBe(0);
  return {
    ...place,
    changing: folder,
    delay: (milliseconds) =>
      place.emulator.behave(({ body }) => {
        place.emulator.delayVisibility(isOfRecords(body) ? milliseconds : 0);
        return undefined;
      }),
    pass: (milliseconds) => {
      passed += milliseconds;
    },
  };
}

/** Whether a request is about the namespace of the records, not about that of the markers. */
function isOfRecords(body: unknown): boolean {
  return (body as { readonly namespace?: unknown } | undefined)?.namespace === namespace;
}

function verified(place: PineconePlace, repair = false, set: readonly string[] = []) {
  return place.use((pipeline) => verify(pipeline, { repair }), set);
}

describe("writes that reads see late", () => {
  it("are waited for at the end of a run, so that the next command sees them", async () => {
    const place = await makeLatePlace(20);
    place.delay(300);
    await place.changing.edit(3);
    expect((await sync(place.file)).exitCode).toBe(0);
    await expectNothingToWaitFor(place);
  });

  it("do not fail a run that cannot wait for them, and are never told as missing or orphaned", async () => {
    const place = await makeLatePlace(21);
    place.delay(60_000);
    await place.changing.edit(3);
    await place.changing.remove(1);
    const run = await sync(place.file, { allowDeletions: 10 }, { set: impatient });
    expect(run).toMatchObject({ exitCode: 0, summary: { status: "succeeded" } });
    for (const repair of [false, true]) {
      expect(await faultOf(verified(place, repair, impatient))).toMatchObject({
        code: "sink.not-ready",
        message: expect.stringContaining("does not show its last writes"),
      });
    }
    place.emulator.reset();
    place.pass(60_000);
    expect(await verified(place, false, impatient)).toMatchObject({ exitCode: 0, sinks: clean });
    // A run that writes nothing waits for what an earlier one left, and nobody has to after it.
    expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });
    await expectNothingToWaitFor(place);
  });

  it("are waited for by the next command when the run was killed before it could", async () => {
    const place = await makeLatePlace(22);
    await place.changing.edit(4);
    await using child = startRun(place.file);
    let killed: Promise<unknown> | undefined;
    place.emulator.behave(({ operation, body }) => {
      place.emulator.delayVisibility(isOfRecords(body) ? 400 : 0);
      // The first question whether reads see what was written: everything is settled.
      if (operation === "query" && isOfRecords(body)) killed ??= child.kill();
      return undefined;
    });
    expect(await child.ended).toMatchObject({ signal: "SIGKILL" });
    expect(killed).toBeDefined();
    expect((await verified(place)).sinks).toMatchObject(clean);
  });

  it("of a repair are waited for before it ends, so that the next command sees them", async () => {
    const place = await makeLatePlace(23);
    const [lost] = [...place.emulator.records("handbook", namespace).keys()];
    const index = await rawIndex(place);
    await index.deleteOne({ id: lost! });
    const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
    const values = [1, ...Array.from<number>({ length: 63 }).fill(0)];
    await index.upsert({ records: [{ id: "orphan", values, metadata: orphan }] });
    place.delay(300);
    expect(await verified(place, true)).toMatchObject({
      exitCode: 0,
      sinks: { search: { repaired: 2, missing: 0, orphaned: 0, stale: 0 } },
    });
    await expectNothingToWaitFor(place);
  });

  it("of a repair that cannot wait for them are told of by nobody as findings", async () => {
    const place = await makeLatePlace(24);
    const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
    const values = [1, ...Array.from<number>({ length: 63 }).fill(0)];
    const index = await rawIndex(place);
    await index.upsert({ records: [{ id: "orphan", values, metadata: orphan }] });
    place.delay(60_000);
    const repaired = await verified(place, true, impatient);
    expect(repaired).toMatchObject({ exitCode: 0, sinks: { search: { repaired: 1 } } });
    expect(await faultOf(verified(place, false, impatient))).toMatchObject({
      code: "sink.not-ready",
    });
    place.pass(60_000);
    expect(await verified(place)).toMatchObject({ exitCode: 0, sinks: clean });
  });

  it("of a forgotten source are waited for, so that nobody takes its records for orphans", async () => {
    const place = await makeForgettingPlace(25);
    place.delay(300);
    const forgotten = await place.use((pipeline) => forget(pipeline, forgetting));
    expect(forgotten.records_deleted).toBeGreaterThan(10);
    await expectNothingToWaitFor(place);
  });

  it("of a source whose forgetting was stopped before it could wait are no findings", async () => {
    const place = await makeForgettingPlace(26);
    const stop = new AbortController();
    place.emulator.behave(({ operation, body }) => {
      place.emulator.delayVisibility(isOfRecords(body) ? 300 : 0);
      if (operation === "query") stop.abort(new Error("stopped by hand"));
      return undefined;
    });
    const stopped = place.use((pipeline) =>
      forget(pipeline, { ...forgetting, signal: stop.signal }),
    );
    await expect(stopped).rejects.toThrow("stopped by hand");
    expect(await verified(place)).toMatchObject({ exitCode: 0, sinks: clean });
  });
});

const forgetting = { source: "docs", deleteRecords: true } as const;

/** With a record of somebody else: an empty namespace would count as deleted. */
async function makeForgettingPlace(seed: number): Promise<LatePlace> {
  const place = await makeLatePlace(seed);
  const values = [1, ...Array.from<number>({ length: 63 }).fill(0)];
  const theirs = { id: "theirs", values, metadata: { pipeline: "other" } };
  await (await rawIndex(place)).upsert({ records: [theirs] });
  return place;
}

/** Reads see everything, and the state knows that. */
async function expectNothingToWaitFor(place: PineconePlace): Promise<void> {
  place.emulator.reset();
  expect(await verified(place)).toMatchObject({ exitCode: 0, sinks: clean });
  expect(place.emulator.stats().byOperation.query).toBeUndefined();
}
