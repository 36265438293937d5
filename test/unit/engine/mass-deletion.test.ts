import { describe, expect, it } from "vitest";
import { adopt } from "../../../src/engine/adopt.ts";
import { plan, type Plan } from "../../../src/engine/plan.ts";
import { Fault } from "../../../src/faults/index.ts";
import { memoryStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

const day = 24 * 60 * 60 * 1000;

async function indexed(
  documents: number,
  options: ConstructorParameters<typeof Rig>[0] = {},
): Promise<Rig> {
  const rig = new Rig(options);
  for (let number = 0; number < documents; number += 1) rig.source.put(idOf(number), `t${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

async function planOf(rig: Rig): Promise<Plan> {
  return (await plan(rig.pipeline, { clock: rig.clock })).plan;
}

function idOf(number: number): string {
  return `d${String(number).padStart(3, "0")}`;
}

function remove(rig: Rig, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) rig.source.remove(idOf(number));
}

function replace(rig: Rig, documents: number): void {
  remove(rig, 0, documents);
  for (let number = 0; number < documents; number += 1) rig.source.put(`new ${number}`, `n`);
}

describe("deletions within the guard", () => {
  it("are carried out", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 10);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 30, unchanged: 30, deleted: 10 });
    expect(await rig.difference()).toEqual([]);
  });
});

describe("deletions beyond the guard", () => {
  it("are all withheld with exit code 4, the count and five examples, while the rest settles", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 11);
    rig.source.put("new", "new");
    rig.source.put(idOf(39), "edited");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.status).toBe("refused");
    expect(summary.documents).toMatchObject({ added: 1, updated: 1, deleted: 0, withheld: 11 });
    expect(summary.withheld).toEqual([
      {
        source: "docs",
        count: 11,
        allowed: 10,
        examples: [0, 1, 2, 3, 4].map((number) => `docs:${idOf(number)}`),
        reason: "fraction",
      },
    ]);
    expect(rig.sink.records).toHaveLength(41);
    expect(rig.sink.texts("docs:new")).toEqual(["new"]);
    expect(rig.sink.texts(`docs:${idOf(39)}`)).toEqual(["edited"]);
  });

  it("are withheld by every later run until they are allowed, and then carried out", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 30);
    expect((await rig.run()).exitCode).toBe(4);
    expect((await rig.run()).exitCode).toBe(4);
    const few = await rig.run({ allowDeletions: 29 });
    expect(few.exitCode).toBe(4);
    expect(rig.sink.records).toHaveLength(40);
    const { summary, exitCode } = await rig.run({ allowDeletions: 30 });
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ deleted: 30, withheld: 0 });
    expect(await rig.difference()).toEqual([]);
  });

  it("are not diluted by documents that the same run adds", async () => {
    const rig = await indexed(10);
    remove(rig, 0, 10);
    for (let number = 0; number < 200; number += 1) rig.source.put(`new ${number}`, `n${number}`);
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 10, allowed: 5 }]);
    expect(summary.documents).toMatchObject({ added: 200, deleted: 0 });
  });

  describe("of a folder that was replaced by another one", () => {
    it("stay withheld in every later run, however many documents came instead", async () => {
      const rig = await indexed(10);
      replace(rig, 10);
      for (let number = 0; number < 900; number += 1) rig.source.put(`more ${number}`, "more");
      for (let round = 0; round < 3; round += 1) {
        const { exitCode, summary } = await rig.run();
        expect([exitCode, summary.documents.deleted]).toEqual([4, 0]);
        expect(summary.withheld).toMatchObject([{ count: 10, allowed: 5 }]);
      }
      expect((await planOf(rig)).documents).toMatchObject({ withhold: 10, delete: 0 });
      expect((await rig.run({ allowDeletions: 10 })).summary.documents.deleted).toBe(10);
      // From now on the new documents count.
      for (let number = 0; number < 50; number += 1) rig.source.remove(`more ${number}`);
      expect((await rig.run()).exitCode).toBe(0);
      expect(await rig.difference()).toEqual([]);
    });

    it("stay withheld when a limited run brought the new ones first", async () => {
      const rig = await indexed(10);
      replace(rig, 10);
      await rig.run({ limit: 10 });
      const { exitCode, summary } = await rig.run();
      expect([exitCode, summary.documents.deleted]).toEqual([4, 0]);
    });

    it("stay withheld when more changes follow in the same run", async () => {
      const rig = await indexed(10);
      replace(rig, 10);
      const stop = new AbortController();
      rig.source.follow = async function* () {
        for (const id of ["later 1", "later 2"]) {
          await rig.clock.sleep(1000, stop.signal);
          rig.source.put(id, id);
          yield rig.source.event(id);
        }
        await rig.clock.sleep(1000, stop.signal);
        stop.abort();
      };
      const { summary } = await rig.run({ follow: true, stop: stop.signal });
      expect(summary.documents).toMatchObject({ added: 12, deleted: 0 });
      expect(rig.sink.records).toHaveLength(22);
    });

    it("stay withheld when only one of two sinks was run meanwhile", async () => {
      const rig = await indexed(10, { sinks: ["main", "edge"] });
      replace(rig, 10);
      expect((await rig.run({ sinks: ["edge"] })).exitCode).toBe(4);
      expect((await rig.run()).exitCode).toBe(4);
      expect(rig.sink.records).toHaveLength(20);
    });

    it("stay withheld when the state was rebuilt meanwhile", async () => {
      const rig = await indexed(10);
      rig.state = memoryStateStore();
      await adopt(rig.pipeline, { sink: "main" });
      replace(rig, 10);
      expect((await rig.run()).exitCode).toBe(4);
      expect((await rig.run()).exitCode).toBe(4);
    });

    it("stay withheld when the source has another name since", async () => {
      const rig = await indexed(10);
      rig.sources.delete("docs");
      rig.sources.set("pages", { source: rig.source, previously: "docs" });
      replace(rig, 10);
      expect((await rig.run()).exitCode).toBe(4);
      expect((await rig.run()).exitCode).toBe(4);
    });
  });

  it("are forgotten when the documents come back", async () => {
    const rig = await indexed(40);
    const kept = [...rig.source.documents];
    for (const [id] of kept.slice(0, 30)) rig.source.documents.delete(id);
    await rig.run();
    for (const [id, document] of kept) rig.source.documents.set(id, document);
    rig.forgetCounts();
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 40, unchanged: 40, withheld: 0 });
    expect(rig.source.opens).toEqual([]);
    expect(await rig.difference()).toEqual([]);
  });

  it("are withheld in every sink", async () => {
    const rig = await indexed(40, { sinks: ["a", "b"] });
    remove(rig, 0, 11);
    await rig.run();
    expect(rig.sinkOf("a").records).toHaveLength(40);
    expect(rig.sinkOf("b").records).toHaveLength(40);
  });

  it("allowed by number are counted over all sources together", async () => {
    const rig = new Rig();
    const other = new RigSource();
    rig.sources.set("blog", { source: other });
    for (let number = 0; number < 40; number += 1) {
      rig.source.put(idOf(number), `t${number}`);
      other.put(idOf(number), `t${number}`);
    }
    await rig.run();
    for (let number = 0; number < 20; number += 1) {
      rig.source.remove(idOf(number));
      other.remove(idOf(number));
    }
    const { exitCode, summary } = await rig.run({ allowDeletions: 20 });
    expect(exitCode).toBe(4);
    expect(summary.documents).toMatchObject({ deleted: 20, withheld: 20 });
  });
});

describe("the window of the guard", () => {
  it("adds up deletions of several runs over 24 hours, and then opens again", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 6);
    expect((await rig.run()).exitCode).toBe(0);
    rig.clock.wall += day - 1000;
    remove(rig, 6, 5);
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 5, allowed: 4 }]);
    rig.clock.wall += 2000;
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("still counts what was deleted before the clock jumped back", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 10);
    await rig.run();
    rig.clock.wall -= 30 * day;
    remove(rig, 10, 1);
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 1, allowed: 0 }]);
  });

  it("counts deletion events and absence from a listing together", async () => {
    const rig = await indexed(40, { cursors: true });
    // Told by events: a resumed listing.
    remove(rig, 0, 6);
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.source.resumed.at(-1)).toBe(true);
    // Absent from a complete listing.
    remove(rig, 6, 5);
    expect((await rig.run({ full: true })).exitCode).toBe(4);
    expect(rig.source.resumed.at(-1)).toBe(false);
  });

  it("is guarded for deletion events alone", async () => {
    const rig = await indexed(40, { cursors: true });
    remove(rig, 0, 11);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.documents).toMatchObject({ deleted: 0, withheld: 11 });
    expect(rig.sink.records).toHaveLength(40);
  });

  it("is not charged for deletions that the user allowed", async () => {
    const rig = await indexed(60);
    remove(rig, 0, 30);
    await rig.run({ allowDeletions: 30 });
    remove(rig, 30, 10);
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("is charged for deletions that the guard let go, though the user allowed some", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 8);
    await rig.run({ allowDeletions: 2 });
    remove(rig, 8, 8);
    expect((await rig.run()).exitCode).toBe(4);
  });

  it("charges a deletion that failed and was tried again only once", async () => {
    const rig = await indexed(40);
    remove(rig, 0, 6);
    rig.sink.beforeWrite = async () => {
      throw new Fault("sink.unreachable", "Down.");
    };
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await rig.run()).exitCode).toBe(5);
    rig.sink.beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    remove(rig, 6, 4);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("lets go on what it let go once, while it withholds the rest", async () => {
    const rig = await indexed(40, { sinks: ["a", "b"] });
    remove(rig, 0, 6);
    rig.sinkOf("b").beforeWrite = async () => {
      throw new Fault("sink.unreachable", "Down.");
    };
    expect((await rig.run()).exitCode).toBe(5);
    rig.sinkOf("b").beforeWrite = async () => {};
    remove(rig, 6, 20);
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.documents).toMatchObject({ deleted: 6, withheld: 20 });
    for (const sink of rig.sinks.values()) expect(sink.records).toHaveLength(34);
  });

  it("does not count documents that only a collection of the past holds", async () => {
    const rig = await indexed(200);
    // Another collection takes the place of the old one; most documents are gone for good.
    rig.sink.collection += "-next";
    remove(rig, 0, 180);
    await rig.run({ allowDeletions: Infinity });
    expect(rig.sink.records).toHaveLength(20);
    remove(rig, 180, 15);
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.withheld).toMatchObject([{ count: 15, allowed: 10 }]);
  });
});
