import { describe, expect, it } from "vitest";
import type { SourceEvent } from "../../../src/contracts/index.ts";
import {
  acceptFailures,
  listFailures,
  retryFailures,
  status,
} from "../../../src/engine/inspect.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { failureEvent } from "./rig/source.ts";

function isBelow(event: SourceEvent, folder: string): boolean {
  return event.kind === "document" && event.document.id.startsWith(folder);
}

/** A source whose folders can be locked: nothing below is listed then. */
async function withFolders(options: ConstructorParameters<typeof Rig>[0] = {}) {
  const rig = new Rig(options);
  const locked = new Set<string>();
  for (const id of ["a", "b", "c", "d", "e", "in/1", "in/2"]) rig.source.put(id, id);
  rig.source.say = (events) => [
    ...events.slice(0, 1),
    ...Array.from(locked, (prefix) =>
      failureEvent({ prefix }, new Fault("source.unreadable", `\`${prefix}\` cannot be read.`)),
    ),
    ...events.slice(1).filter((event) => ![...locked].some((prefix) => isBelow(event, prefix))),
  ];
  expect((await rig.run()).exitCode).toBe(0);
  locked.add("in/");
  return { rig, locked };
}

describe("an unreadable folder", () => {
  it("is among the failures, with a count of the runs that met it, and what is in it stays", async () => {
    const { rig } = await withFolders();
    for (let attempts = 1; attempts <= 3; attempts += 1) {
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(3);
      expect(summary.documents).toMatchObject({ listed: 6, unchanged: 5, failed: 1, deleted: 0 });
      expect(await listFailures(rig.pipeline)).toMatchObject([
        { document: "docs:in/", stage: "list", code: "source.unreadable", attempts, folder: true },
      ]);
    }
    expect(rig.sink.records).toHaveLength(7);
    expect(rig.source.lookups).toEqual([]);
  });

  it("can be accepted, and then no longer makes a run end with 3", async () => {
    const { rig } = await withFolders();
    await rig.run();
    expect(await acceptFailures(rig.pipeline, ["docs:in/"])).toEqual({ documents: 1 });
    for (let again = 0; again < 2; again += 1) {
      const { summary, exitCode } = await rig.run();
      expect([exitCode, summary.documents.failed]).toEqual([0, 1]);
    }
  });

  it("is no document, for the status", async () => {
    const { rig } = await withFolders();
    await rig.run();
    const { documents, sources } = await status(rig.pipeline);
    expect(documents).toMatchObject({ total: 7, indexed: 7, failed: 1, owed: 0, withheld: 0 });
    expect(sources).toMatchObject([{ documents: 7, failed: 1 }]);
  });

  it.each([false, true])(
    "is forgotten once it can be read, and what went in it is deleted (cursor: %s)",
    async (cursors) => {
      const { rig, locked } = await withFolders({ cursors });
      rig.source.put("a", "new");
      rig.source.remove("in/2");
      await rig.run({ full: true });
      expect(rig.sink.records).toHaveLength(7);
      locked.clear();
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(0);
      expect(summary.documents).toMatchObject({ listed: 6, unchanged: 6, failed: 0, deleted: 1 });
      expect(await listFailures(rig.pipeline)).toEqual([]);
      expect(await rig.row("in/")).toBeUndefined();
      expect(await rig.difference()).toEqual([]);
    },
  );

  it("is forgotten also while deletions of its source are withheld", async () => {
    const { rig, locked } = await withFolders();
    await rig.run();
    locked.clear();
    for (const id of ["a", "b", "c", "d", "e"]) rig.source.remove(id);
    expect((await rig.run()).exitCode).toBe(4);
    expect(await listFailures(rig.pipeline)).toEqual([]);
    const { documents } = await status(rig.pipeline);
    expect(documents).toMatchObject({ total: 7, failed: 0, withheld: 5 });
  });

  it("makes the source be listed as a whole again, where a cursor would pass it over", async () => {
    const { rig } = await withFolders({ cursors: true });
    await rig.run({ full: true });
    expect((await rig.run()).exitCode).toBe(3);
    expect(rig.source.resumed).toEqual([false, false, false]);
  });

  it("is looked for again when the user asks to try again", async () => {
    const { rig, locked } = await withFolders({ cursors: true });
    await rig.run({ full: true });
    locked.clear();
    expect(await retryFailures(rig.pipeline, ["docs:in/"])).toEqual({ documents: 1 });
    expect(await listFailures(rig.pipeline)).toEqual([]);
    const { summary, exitCode } = await rig.run();
    expect([exitCode, rig.source.resumed.at(-1)]).toEqual([0, false]);
    expect(summary.documents).toMatchObject({ listed: 7, unchanged: 7 });
    expect(rig.source.lookups).toEqual([]);
  });

  it("counts among very many failures", async () => {
    const { rig, locked } = await withFolders();
    rig.set({ failures: { maxDocuments: 5 } });
    for (const id of ["1/", "2/", "3/", "4/", "5/"]) locked.add(id);
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.failures"]);
  });

  it("may have the name of a document, which is found again when it can be read", async () => {
    const { rig, locked } = await withFolders();
    locked.clear();
    locked.add("a");
    expect((await rig.run()).exitCode).toBe(3);
    expect(rig.sink.texts("docs:a")).toEqual(["a"]);
    locked.clear();
    expect((await rig.run()).exitCode).toBe(0);
    expect(await listFailures(rig.pipeline)).toEqual([]);
    expect(await rig.difference()).toEqual([]);
  });
});
