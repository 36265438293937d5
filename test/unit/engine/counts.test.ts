import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import type { SourceEvent } from "../../../src/contracts/index.ts";
import type { RunSummary } from "../../../src/engine/summary.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { failureEvent } from "./rig/source.ts";

function expectSum({ documents }: RunSummary): void {
  const { listed, added, updated, unchanged, failed } = documents;
  expect(added + updated + unchanged + failed).toBe(listed);
}

const unreadable = new Fault("source.unreadable", "No.");
const misnamed = new Fault("source.name", "No.");

describe("every listed document", () => {
  it("ends as exactly one of added, updated, unchanged and failed", async () => {
    const rig = new Rig();
    for (const id of ["same", "touched", "edited", "broken"]) rig.source.put(id, id);
    rig.source.put("dead", "!malformed");
    await rig.run();
    rig.source.touch("touched");
    rig.source.put("edited", "other");
    rig.source.put("broken", "!malformed");
    rig.source.put("new", "new");
    rig.source.put("new and broken", "!malformed");
    rig.source.say = (events) => [
      ...events.slice(0, -1),
      failureEvent({ documentId: "secret" }, misnamed),
      failureEvent({ prefix: "locked/" }, unreadable),
      ...events.slice(-1),
    ];
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.documents).toEqual({
      listed: 9,
      added: 1,
      updated: 1,
      unchanged: 2,
      deleted: 0,
      withheld: 0,
      failed: 5,
    });
    expect(summary.failures.map(({ document }) => document).toSorted()).toEqual([
      "docs:broken",
      "docs:dead",
      "docs:locked/",
      "docs:new and broken",
      "docs:secret",
    ]);
    expectSum(summary);
  });

  it("counts once, however often it is listed", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.put("b", "two");
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" ? [event, event, event] : [event],
      );
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ listed: 2, added: 2, unchanged: 0 });
    const again = await rig.run();
    expect(again.summary.documents).toMatchObject({ listed: 2, unchanged: 2 });
    expect(await rig.difference()).toEqual([]);
  });

  it("is not counted as listed when it is deleted in the middle of the listing", async () => {
    const rig = new Rig();
    for (const id of ["a", "b", "c"]) rig.source.put(id, id);
    await rig.run();
    rig.source.put("b", "edited");
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" && event.document.id === "b"
          ? [event, { kind: "deletion", documentId: "b" }]
          : [event],
      );
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ deleted: 1 });
    expectSum(summary);
    expect(rig.sink.texts()).toEqual(["a", "c"]);
  });

  it("is taken up when it comes back after a deletion in the same listing", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    await rig.run();
    rig.source.put("a", "two");
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" ? [{ kind: "deletion", documentId: "a" }, event] : [event],
      );
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ listed: 1, updated: 1, deleted: 0 });
    expect(rig.sink.texts()).toEqual(["two"]);
  });

  it("is counted once when it failed in passing and succeeds before the run ends", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    let opens = 0;
    rig.source.beforeOpen = async () => {
      opens += 1;
      if (opens === 1) throw new Fault("source.changed", "It changed.");
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, added: 1, failed: 0 });
    expect(await rig.row("a")).toMatchObject({ failure: undefined, owed: false });
  });

  it("is counted once when it is listed twice and fails in passing in between", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" ? [event, event] : [event],
      );
    let opens = 0;
    rig.source.beforeOpen = async () => {
      opens += 1;
      if (opens === 1) throw new Fault("source.changed", "It changed.");
    };
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ listed: 1, added: 1, unchanged: 0, failed: 0 });
  });

  it("is counted once when it keeps failing in passing", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.beforeOpen = async () => {
      throw new Fault("source.changed", "It changed.");
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.documents).toMatchObject({ listed: 1, failed: 1 });
  });

  it("is not counted when it failed in passing and is gone when looked up again", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.put("b", "two");
    rig.source.beforeOpen = async (id) => {
      if (id !== "a") return;
      rig.source.remove("a");
      throw new Fault("source.vanished", "It vanished.");
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, added: 1, failed: 0 });
    expect(await rig.row("a")).toBeUndefined();
  });

  it("counts also in a run that is broken off or stopped", async () => {
    const rig = new Rig();
    rig.set({ limits: { documents: 2 } });
    for (let number = 0; number < 50; number += 1) rig.source.put(`d${number}`, `t${number}`);
    rig.embedder.before = async (texts) => {
      if (texts.includes("t20")) throw new Fault("embed.unauthorized", "No.");
    };
    const failed = await rig.run();
    expect(failed.exitCode).toBe(5);
    expectSum(failed.summary);
    const stop = new AbortController();
    rig.embedder.before = async () => stop.abort();
    const stopped = await rig.run({ stop: stop.signal });
    expect(stopped.exitCode).toBe(130);
    expectSum(stopped.summary);
    rig.embedder.before = async () => {};
    const last = await rig.run();
    expect(last.exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });
});

type What = "put" | "remove" | "touch" | "break" | "fail" | "misname";
type Step = readonly [what: What, id: string];

describe("the counts", () => {
  it("add up for any history of listings with duplicates, deletions and failures", async () => {
    const id = fc.constantFrom("a", "b", "c");
    const whats = fc.constantFrom("put", "remove", "touch", "break", "fail", "misname");
    const step = fc.tuple(whats, id);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 4 }),
        async (runs) => {
          const rig = new Rig();
          let version = 0;
          for (const steps of runs as readonly (readonly Step[])[]) {
            const events: SourceEvent[] = [{ kind: "listing", resumed: false }];
            for (const [what, name] of steps) {
              version += 1;
              if (what === "remove") rig.source.documents.delete(name);
              else if (what === "put") rig.source.put(name, `text ${version}`);
              else if (what === "break") rig.source.put(name, "!malformed");
              else if (what === "touch" && rig.source.documents.has(name)) rig.source.touch(name);
              if (what === "fail") events.push(failureEvent({ documentId: name }, unreadable));
              else if (what === "misname") {
                events.push(failureEvent({ documentId: name }, misnamed));
              } else events.push(rig.source.event(name));
            }
            events.push({ kind: "end", listing: "partial" });
            rig.source.say = () => events;
            const { summary } = await rig.run({ allowDeletions: Infinity });
            expectSum(summary);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
