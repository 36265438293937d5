import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { failureEvent, RigSource } from "./rig/source.ts";

async function indexed(
  documents: number,
  options: ConstructorParameters<typeof Rig>[0] = {},
): Promise<Rig> {
  const rig = new Rig(options);
  for (let number = 0; number < documents; number += 1) rig.source.put(idOf(number), `t${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

function idOf(number: number): string {
  return `d${String(number).padStart(3, "0")}`;
}

function remove(rig: Rig, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) rig.source.remove(idOf(number));
}

describe("absence proves nothing", () => {
  it("when the listing is partial", async () => {
    const rig = await indexed(10);
    remove(rig, 0, 2);
    rig.source.listing = "partial";
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 8, deleted: 0, withheld: 0 });
    expect(rig.sink.records).toHaveLength(10);
  });

  it("when the source breaks off", async () => {
    const rig = await indexed(10);
    remove(rig, 0, 2);
    rig.source.say = async function* (events) {
      yield* events.slice(0, 5);
      throw new Fault("source.unreachable", "Gone.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(rig.sink.records).toHaveLength(10);
  });

  it("below a prefix that could not be read", async () => {
    const rig = new Rig();
    for (const id of ["x/1", "x/2", "y/1", "y/2", "xylophone"]) rig.source.put(id, id);
    await rig.run();
    for (const id of ["x/1", "y/1"]) rig.source.remove(id);
    const fault = new Fault("source.unreadable", "The folder x/ cannot be read.");
    rig.source.say = (events) =>
      [...events.slice(0, 1), failureEvent({ prefix: "x/" }, fault)].concat(events.slice(1));
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.documents).toMatchObject({ deleted: 1, failed: 1 });
    expect(rig.sink.texts()).toEqual(["x/1", "x/2", "xylophone", "y/2"].toSorted());
  });

  it.each(["an unreadable folder", "a partial listing", "a listing that breaks off"])(
    "of what was withheld before, when %s hides whether it came back",
    async (what) => {
      const rig = new Rig();
      for (const id of ["x/1", "x/2", "x/3", "y/1"]) rig.source.put(id, id);
      await rig.run();
      for (const id of ["x/1", "x/2", "x/3"]) rig.source.remove(id);
      expect((await rig.run()).exitCode).toBe(4);
      // They are back; this listing does not come to them.
      for (const id of ["x/1", "x/2", "x/3"]) rig.source.put(id, id);
      const { say } = rig.source;
      const unreadable = new Fault("source.unreadable", "The folder x/ cannot be read.");
      rig.source.say = async function* (events) {
        for (const event of events) {
          if (event.kind === "document" && event.document.id.startsWith("x/")) continue;
          if (event.kind === "end" && what === "an unreadable folder") {
            yield failureEvent({ prefix: "x/" }, unreadable);
          }
          if (event.kind === "end" && what === "a listing that breaks off") {
            throw new Fault("source.unreachable", "Gone.");
          }
          yield event.kind === "end" && what === "a partial listing"
            ? { kind: "end", listing: "partial" }
            : event;
        }
      };
      await rig.run({ allowDeletions: 10 });
      expect(rig.sink.texts()).toEqual(["x/1", "x/2", "x/3", "y/1"]);
      rig.source.say = say;
      expect((await rig.run()).summary.documents).toMatchObject({ deleted: 0, withheld: 0 });
      expect(await rig.difference()).toEqual([]);
    },
  );

  it("when a document is listed as a failure", async () => {
    const rig = await indexed(4);
    const fault = new Fault("source.name", "Its name cannot be represented.");
    rig.source.say = (events) =>
      events.map((event) =>
        event.kind === "document" && event.document.id === idOf(0)
          ? failureEvent({ documentId: idOf(0) }, fault)
          : event,
      );
    await rig.run();
    expect(rig.sink.records).toHaveLength(4);
  });

  it("when the source now reads from elsewhere, until the user allows it", async () => {
    const rig = await indexed(100);
    rig.source.identity = "rig:two";
    remove(rig, 0, 1);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 1, allowed: 0, reason: "identity" }]);
    expect((await rig.run()).exitCode).toBe(4);
    expect((await rig.run({ allowDeletions: 1 })).exitCode).toBe(0);
    // From now on the new place is trusted.
    remove(rig, 1, 1);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("does not go on from the cursor of another place", async () => {
    const rig = await indexed(4, { cursors: true });
    rig.source.identity = "rig:two";
    await rig.run();
    expect(rig.source.resumed).toEqual([false, false]);
  });

  it("when the source is no longer in the file, until the user allows it", async () => {
    const rig = await indexed(3);
    const other = new RigSource();
    other.put("o", "other");
    rig.sources.set("other", { source: other });
    await rig.run();
    rig.sources.delete("other");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toEqual([
      { source: "other", count: 1, allowed: 0, examples: ["other:o"], reason: "removed" },
    ]);
    expect(rig.sink.texts()).toContain("other");
    expect((await rig.run({ allowDeletions: 1 })).exitCode).toBe(0);
    expect(rig.sink.texts()).not.toContain("other");
    expect(await rig.reading((session) => session.sources())).toMatchObject([{ name: "docs" }]);
    expect((await rig.run()).exitCode).toBe(0);
  });

  it.each([true, false])(
    "of a source that was taken out of the file and put back (cursor: %s)",
    async (cursors) => {
      const rig = await indexed(3);
      const other = new RigSource({ cursors });
      for (const id of ["o", "p"]) other.put(id, `other ${id}`);
      rig.sources.set("other", { source: other });
      await rig.run();
      rig.sources.delete("other");
      expect((await rig.run()).exitCode).toBe(4);
      rig.sources.set("other", { source: other });
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(0);
      expect(summary.documents).toMatchObject({ deleted: 0, withheld: 0 });
      expect(await rig.difference()).toEqual([]);
    },
  );
});
