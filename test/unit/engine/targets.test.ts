import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../connectors/sinks/memory/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSink } from "./rig/sink.ts";

const signal = new AbortController().signal;

async function indexed(options: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
  const rig = new Rig(options);
  rig.source.put("a", "one\ntwo");
  rig.source.put("b", "three");
  expect((await rig.run()).exitCode).toBe(0);
  rig.forgetCounts();
  return rig;
}

describe("a collection", () => {
  it.each([true, false])(
    "that was dropped is created and written again, without embedding (cursor: %s)",
    async (cursors) => {
      const rig = await indexed({ cursors });
      rig.sink.drop();
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(0);
      expect(summary.documents).toMatchObject({ listed: 2, updated: 2 });
      expect(rig.embedder.texts).toEqual([]);
      expect(await rig.difference()).toEqual([]);
    },
  );

  it("that was dropped and made again, empty, by someone else is written again", async () => {
    const rig = await indexed();
    rig.sink.drop();
    await rig.sink.create({ dimension: 8, metric: "cosine", fields: {} }, signal);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("that was dropped and made again by someone else, with records, is refused", async () => {
    const rig = await indexed();
    const [record] = rig.sink.records;
    rig.sink.drop();
    await rig.sink.create({ dimension: 8, metric: "cosine", fields: {} }, signal);
    if (record !== undefined) {
      memoryStore.get(rig.sink.collection)?.records.set("x", { ...record, pipeline: "other" });
    }
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.records"]);
    expect(rig.sink.records).toHaveLength(1);
  });

  it("that was made again by another pipeline is joined, and written again", async () => {
    const rig = await indexed();
    rig.sink.drop();
    const other = new Rig();
    other.name = "other";
    other.sink.collection = rig.sink.collection;
    other.source.put("x", "theirs");
    await other.run();
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.texts()).toEqual(["one", "theirs", "three", "two"]);
  });

  it("that is dropped while a run goes on is never taken for written", async () => {
    const rig = await indexed();
    rig.source.put("c", "four");
    rig.source.beforeOpen = async () => rig.sink.drop();
    const { exitCode } = await rig.run();
    expect(exitCode).toBe(5);
    rig.source.beforeOpen = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("that is replaced while a run goes on is neither written nor marked", async () => {
    const rig = await indexed();
    rig.source.put("c", "four");
    rig.source.beforeOpen = async () => {
      rig.sink.drop();
      await rig.sink.create({ dimension: 8, metric: "cosine", fields: {} }, signal);
    };
    expect((await rig.run()).exitCode).toBe(5);
    expect(rig.sink.records).toEqual([]);
    expect(rig.sink.marker).toBeUndefined();
    rig.source.beforeOpen = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it.each<[string, "auto" | number, string]>([
    ["another dimension than configured", 6, "refused.dimension"],
    ["a dimension that the model cannot give", 9, "refused.dimension"],
  ])("of %s is refused before anything is written", async (_what, dimension, code) => {
    const rig = await indexed();
    rig.sink.dimension = dimension;
    rig.source.put("c", "four");
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, code]);
    expect(rig.sink.operations).toEqual([]);
  });

  it("that somebody else creates at the same moment is taken as it then is", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    let raced = false;
    rig.sink.before = async (call) => {
      if (call !== "create" || raced) return;
      raced = true;
      await rig.sink.create({ dimension: 4, metric: "cosine", fields: {} }, signal);
    };
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.records.map(({ vector }) => vector.length)).toEqual([4]);
  });

  it("that cannot be created is given up with the store's own fault", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.sink.before = async (call) => {
      if (call === "create") throw new Fault("sink.unreachable", "The store is full.");
    };
    const { exitCode, summary } = await rig.run();
    expect([exitCode, summary.error?.message]).toEqual([5, "The store is full."]);
  });

  it("that is named twice on the command line is one", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    const { summary } = await rig.run({ sinks: ["main", "main"], sources: ["docs", "docs"] });
    expect(summary.documents).toMatchObject({ listed: 1, added: 1 });
    expect(rig.sink.records).toHaveLength(1);
  });

  it("that cannot be used keeps the run from every other one, before the first is created", async () => {
    const rig = await indexed();
    const added = new RigSink("added");
    rig.sinks.set("added", added);
    rig.sink.dimension = 9;
    expect((await rig.run()).exitCode).toBe(4);
    expect(memoryStore.get(added.collection)).toBeUndefined();
  });
});

describe("sinks", () => {
  it("that name one collection are refused, by name", async () => {
    const rig = new Rig({ sinks: ["first"] });
    rig.sinks.set("second", new RigSink("second", rig.sink.collection));
    rig.source.put("a", "one");
    const { summary, exitCode } = await rig.run();
    expect([exitCode, summary.error?.code]).toEqual([4, "refused.shared"]);
    expect(summary.error?.message).toMatch(/`first` and `second`/);
    expect(memoryStore.get(rig.sink.collection)).toBeUndefined();
  });

  it("that name one collection in two ways are refused by its marker", async () => {
    const rig = await indexed({ sinks: ["first"] });
    const second = new RigSink("second", rig.sink.collection);
    Object.defineProperty(second, "address", { value: "the same by another name" });
    rig.sinks.set("second", second);
    const { summary } = await rig.run();
    expect(summary.error?.code).toBe("refused.shared");
  });

  it("that get another name keep their documents: the state goes by collection", async () => {
    const rig = await indexed({ sinks: ["first"] });
    const renamed = new RigSink("renamed", rig.sink.collection);
    rig.sinks.clear();
    rig.sinks.set("renamed", renamed);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ unchanged: 2 });
    expect(rig.source.opens).toEqual([]);
    expect(renamed.operations).toEqual([]);
  });

  it("that are taken out of the file keep their records, and are brought up to date when put back", async () => {
    const rig = await indexed({ sinks: ["first", "second"] });
    const second = rig.sinkOf("second");
    rig.sinks.delete("second");
    rig.source.put("a", "edited");
    rig.source.remove("b");
    expect((await rig.run()).exitCode).toBe(0);
    expect(second.texts()).toEqual(["one", "three", "two"]);
    rig.sinks.set("second", second);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("are named one by one by the user; the others wait", async () => {
    const rig = await indexed({ sinks: ["first", "second"] });
    rig.source.put("a", "edited");
    rig.source.remove("b");
    expect((await rig.run({ sinks: ["first"] })).exitCode).toBe(0);
    expect(rig.sinkOf("first").texts()).toEqual(["edited"]);
    expect(rig.sinkOf("second").texts()).toEqual(["one", "three", "two"]);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("and sources that the file does not have are told with exit code 2", async () => {
    const rig = await indexed();
    for (const options of [{ sinks: ["other"] }, { sources: ["other"] }]) {
      const { summary, exitCode } = await rig.run(options);
      expect([exitCode, summary.error?.code]).toEqual([2, "config.invalid"]);
      expect(summary.error?.message).toMatch(/`other`/);
    }
  });
});
