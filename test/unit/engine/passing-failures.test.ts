import { describe, expect, it } from "vitest";
import { acceptFailures, listFailures } from "../../../src/engine/inspect.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";

/** Documents whose content is out of reach, as long as they are named in the set. */
function unreadable(ids: readonly string[], options: ConstructorParameters<typeof Rig>[0] = {}) {
  const rig = new Rig(options);
  const locked = new Set(ids);
  for (const id of ids) rig.source.put(id, id);
  rig.source.beforeOpen = async (id) => {
    if (locked.has(id)) throw new Fault("source.unreadable", `\`${id}\` cannot be read.`);
  };
  return { rig, locked };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `d${number}`);
}

describe("a failure that may pass", () => {
  it.each([true, false])(
    "no longer makes a run end with 3 once it is accepted (cursor: %s)",
    async (cursors) => {
      const { rig } = unreadable(["a"], { cursors });
      expect((await rig.run()).exitCode).toBe(3);
      await acceptFailures(rig.pipeline, ["docs:a"]);
      for (let again = 0; again < 2; again += 1) {
        const { summary, exitCode } = await rig.run();
        expect([exitCode, summary.status]).toEqual([0, "succeeded"]);
        expect(summary.documents).toMatchObject({ listed: 1, failed: 1 });
      }
      expect(await listFailures(rig.pipeline)).toMatchObject([{ accepted: true, retried: true }]);
    },
  );

  it("is a new one again when a new version of the document fails", async () => {
    const { rig } = unreadable(["a"]);
    await rig.run();
    await acceptFailures(rig.pipeline);
    rig.source.touch("a");
    expect((await rig.run()).exitCode).toBe(3);
  });

  it("still makes the run end with 3 when only another one is accepted", async () => {
    const { rig } = unreadable(["a", "b"]);
    await rig.run();
    await acceptFailures(rig.pipeline, ["docs:a"]);
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.documents.failed]).toEqual([3, 2]);
  });

  it("counts its attempts by runs, however often a run tried", async () => {
    const { rig } = unreadable(["a"]);
    for (let run = 1; run <= 3; run += 1) {
      rig.forgetCounts();
      await rig.run();
      expect(rig.source.opens.length).toBeGreaterThan(1);
      expect((await rig.row("a"))?.failure?.attempts).toBe(run);
    }
  });

  it("of a listing is tried again before the run ends", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    const fault = new Fault("source.unreadable", "Not now.");
    rig.source.say = (events) =>
      events.map((event) =>
        event.kind === "document" ? { kind: "failure", documentId: "a", fault } : event,
      );
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 1, added: 1, failed: 0 });
  });

  it("is over when the document was read, though its sink went away", async () => {
    const { rig, locked } = unreadable(["a"], { sinks: ["main", "edge"] });
    await rig.run();
    locked.clear();
    rig.sinkOf("edge").beforeWrite = async () => {
      throw new Fault("sink.unauthorized", "No.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(rig.sink.texts()).toEqual(["a"]);
    expect(await listFailures(rig.pipeline)).toEqual([]);
  });
});

describe("very many failures that may pass", () => {
  it("stop the run with exit code 4, like those that do not pass", async () => {
    const { rig } = unreadable(numbered(500));
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.failures"]);
    // Not before it is told: each was tried twice at most.
    expect(rig.source.opens.length).toBeLessThanOrEqual(1000);
  });

  it("stop the run long before a large source is read to its end", async () => {
    const { rig } = unreadable(numbered(5000));
    const { summary } = await rig.run();
    expect(summary.error?.code).toBe("refused.failures");
    expect(summary.documents.failed).toBeLessThan(1000);
    expect(new Set(rig.source.opens).size).toBeLessThan(1000);
  });

  it("delete nothing when they stop the run at its end", async () => {
    const { rig, locked } = unreadable(numbered(20));
    locked.clear();
    await rig.run();
    rig.set({ failures: { maxDocuments: 10 } });
    rig.source.remove("d0");
    for (const id of numbered(20).slice(1)) rig.source.touch(id);
    for (const id of numbered(20)) locked.add(id);
    expect((await rig.run()).exitCode).toBe(4);
    expect(rig.sink.records).toHaveLength(20);
  });

  it("do not stop the run when they have passed at the second try", async () => {
    const { rig, locked } = unreadable(numbered(500));
    const refuse = rig.source.beforeOpen;
    rig.source.beforeOpen = async (id, signal) => {
      const first = refuse(id, signal);
      locked.delete(id);
      return first;
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 500, added: 500, failed: 0 });
  });

  it("do not stop a run when they are those of the run before", async () => {
    const { rig, locked } = unreadable(numbered(90));
    await rig.run();
    for (const id of ["e1", "e2", "e3"]) {
      rig.source.put(id, id);
      locked.add(id);
    }
    rig.set({ failures: { maxDocuments: 5 } });
    expect((await rig.run()).exitCode).toBe(3);
  });
});

describe("documents that a sink which went away did not get", () => {
  it("count once as failed, and are not read again in the same run", async () => {
    const rig = new Rig({ sinks: ["main", "edge"] });
    rig.set({ limits: { documents: 4 } });
    for (const id of numbered(300)) rig.source.put(id, id);
    let writes = 0;
    rig.sinkOf("edge").beforeWrite = async () => {
      writes += 1;
      if (writes > 3) throw new Fault("sink.unauthorized", "No.");
    };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(5);
    const { listed, added, failed } = summary.documents;
    expect([listed, added + failed]).toEqual([300, 300]);
    expect(failed).toBeGreaterThan(200);
    expect(rig.source.opens).toHaveLength(300);
    expect(rig.sink.records).toHaveLength(300);
  });
});
