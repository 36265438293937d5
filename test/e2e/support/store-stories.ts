import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { adopt, forget, query, verify } from "../../../src/engine/index.ts";
import { ChangingFolder } from "./changing-folder.ts";
import { randomFrom } from "./prose.ts";
import type { StorePlace } from "./store-place.ts";
import { sync } from "./sync.ts";

/** The store holds exactly what a pipeline that begins anew makes of the folder. */
export async function expectFresh(place: StorePlace): Promise<void> {
  expect((await sync(place.file, {}, { set: place.fresh })).exitCode).toBe(0);
  const content = await place.contentOf();
  expect(content.length).toBeGreaterThan(20);
  expect(content).toStrictEqual(await place.contentOf("fresh"));
}

/** A folder is kept through edits and deletions, verified, found, adopted and forgotten. */
export async function expectKept(place: StorePlace): Promise<void> {
  const folder = new ChangingFolder(place, randomFrom(7));
  await folder.add(12, 4);
  await place.write("note.md", '---\nauthor: it\'s "me" 🙂\n---\n\nXylophone zebra quartz.\n');
  expect((await sync(place.file)).exitCode).toBe(0);
  // Nothing is written again, and nothing embedded.
  expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });
  await folder.edit(6);
  await folder.remove(3);
  expect((await sync(place.file, { allowDeletions: 10 })).exitCode).toBe(0);
  await expectFresh(place);

  // Everything can be read at once by whoever comes next.
  const clean = await place.use((pipeline) => verify(pipeline));
  expect(clean.sinks).toMatchObject({ search: { missing: 0, orphaned: 0, stale: 0 } });
  expect(clean.exitCode).toBe(0);

  const filter = [{ field: "author", operator: "=", value: `it's "me" 🙂` }] as const;
  const { hits } = await place.use((pipeline) =>
    query(pipeline, { text: "xylophone quartz", k: 5, filter }),
  );
  expect(hits.map(({ document }) => document)).toEqual(["docs:note.md"]);

  await loseState(place);
  expect((await sync(place.file)).summary.error?.code).toBe("refused.state");
  const { records, incomplete } = await place.use((pipeline) =>
    adopt(pipeline, { sink: "search" }),
  );
  expect([records, incomplete]).toEqual([(await place.contentOf()).length, 0]);
  expect((await sync(place.file)).summary.sinks).toMatchObject({ search: { upserted: 0 } });

  const forgotten = await place.use((pipeline) =>
    forget(pipeline, { sink: "search", deleteRecords: true }),
  );
  expect(forgotten.records_deleted).toBe(records);
  expect(await place.contentOf()).toEqual([]);
  expect((await sync(place.file)).exitCode).toBe(0);
  expect(await place.contentOf()).toHaveLength(records);
}

/**
 * What somebody else did to the records is found and mended: one is lost, one has the fingerprint `x`, one is of this
 * pipeline and of no document, and one of the pipeline `other`, which stays.
 */
export async function expectMended(
  place: StorePlace,
  spoil: (lost: unknown, stale: unknown) => Promise<void>,
): Promise<void> {
  await new ChangingFolder(place, randomFrom(8)).add(6, 4);
  expect((await sync(place.file)).exitCode).toBe(0);
  const before = await place.contentOf();
  await spoil(before[0], before[1]);
  const found = await place.use((pipeline) => verify(pipeline));
  expect(found.sinks).toMatchObject({ search: { missing: 1, orphaned: 1, stale: 1 } });
  const repaired = await place.use((pipeline) => verify(pipeline, { repair: true }));
  expect(repaired).toMatchObject({ exitCode: 0, sinks: { search: { repaired: 3 } } });
  const after = await place.contentOf();
  const own = after.filter((record) => !JSON.stringify(record).includes('"other"'));
  expect(own).toEqual(before);
  expect(after).toHaveLength(before.length + 1);
}

/** A collection that was dropped is written anew, and nothing is embedded. */
export async function expectWrittenAnew(
  place: StorePlace,
  drop: () => Promise<unknown>,
  set: readonly string[] = [],
): Promise<void> {
  await new ChangingFolder(place, randomFrom(9)).add(6, 4);
  expect((await sync(place.file)).exitCode).toBe(0);
  const before = await place.contentOf();
  await drop();
  const { summary, exitCode } = await sync(place.file, {}, { set });
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({
    chunks: { embedded: 0 },
    sinks: { search: { upserted: before.length } },
  });
  expect(await place.contentOf()).toEqual(before);
}

/** Removes the state, with what SQLite keeps beside it. */
export async function loseState({ state }: StorePlace): Promise<void> {
  for (const more of ["", "-wal", "-shm"]) await rm(state + more, { force: true });
}
