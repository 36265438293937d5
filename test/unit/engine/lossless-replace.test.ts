import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { idOf } from "./rig/sink.ts";

/** One document, indexed; its next version can be made to fail. */
async function indexed(options: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
  const rig = new Rig(options);
  rig.source.put("a", "old one\nold two");
  rig.source.put("b", "steady");
  expect((await rig.run()).exitCode).toBe(0);
  rig.forgetCounts();
  return rig;
}

const old = ["old one", "old two"];

describe("a document that cannot be brought", () => {
  it("keeps its old records, untouched, when parsing fails half-way", async () => {
    const rig = await indexed();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", "new one\nnew two\n!malformed");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.documents).toMatchObject({ listed: 2, failed: 1, unchanged: 1 });
    expect(summary.failures).toMatchObject([
      { document: "docs:a", stage: "parse", code: "parse.malformed" },
    ]);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
    expect(rig.sink.operations).toEqual([]);
    expect((await rig.row("a"))?.failure).toMatchObject({ code: "parse.malformed", attempts: 1 });
  });

  it("keeps its old records, untouched, when one of its texts cannot be embedded", async () => {
    const rig = await indexed();
    const before = JSON.stringify(rig.sink.records);
    rig.embedder.before = async (texts) => {
      if (texts.includes("guilty")) throw new Fault("embed.rejected", "No.");
    };
    const many = Array.from({ length: 200 }, (_, index) => `line ${index}`);
    rig.source.put("a", [...many, "guilty", ...many].join("\n"));
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([{ stage: "embed", code: "embed.rejected" }]);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
    expect(rig.sink.operations).toEqual([]);
  });

  it("keeps its old records, untouched, when its metadata does not fit", async () => {
    const rig = new Rig();
    rig.fields = { date: "timestamp" };
    rig.source.put("a", '{"date":"2026-01-01"}\nold one');
    await rig.run();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", '{"date":"yesterday"}\nnew one');
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ stage: "parse", code: "parse.metadata" }]);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
  });

  it("keeps its old records, untouched, when no parser reads its new type", async () => {
    const rig = await indexed();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", "new", { mediaType: "image/png" });
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ code: "parse.unsupported" }]);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
  });

  it("keeps its old records, untouched, when it vanished or changed while it was read", async () => {
    const rig = await indexed();
    const before = JSON.stringify(rig.sink.records);
    rig.source.put("a", "new");
    rig.source.beforeOpen = async () => {
      throw new Fault("source.vanished", "It vanished.");
    };
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ stage: "read", code: "source.vanished" }]);
    expect(JSON.stringify(rig.sink.records)).toBe(before);
  });
});

describe("a replace", () => {
  it("writes nothing before the whole document is embedded", async () => {
    const rig = await indexed();
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    rig.source.put("a", lines.join("\n"));
    let embedded = 0;
    rig.embedder.before = async (texts) => {
      expect(rig.sink.operations).toEqual([]);
      embedded += texts.length;
    };
    rig.sink.beforeWrite = async () => expect(embedded).toBe(300);
    await rig.run();
    expect(rig.sink.texts("docs:a")).toEqual(lines.toSorted());
  });

  it("deletes orphans only after every new record is acknowledged", async () => {
    const rig = await indexed();
    rig.sink.limits = { operationsPerWrite: 3 };
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    rig.source.put("a", lines.join("\n"));
    let acknowledged = 0;
    let deleted = 0;
    rig.sink.beforeWrite = async (operations) => {
      if (operations.some(({ kind }) => kind === "delete")) {
        expect(acknowledged).toBe(100);
        deleted += operations.length;
      } else {
        await rig.clock.sleep(5, new AbortController().signal);
        acknowledged += operations.length;
      }
    };
    await rig.run();
    expect(deleted).toBe(2);
    expect(await rig.difference()).toEqual([]);
  });

  it("deletes no old record when a new one was refused", async () => {
    const rig = await indexed();
    rig.source.put("a", "new one\nnew two");
    rig.sink.refuses = (operation) =>
      operation.kind === "upsert" && operation.record.text === "new two"
        ? new Fault("sink.rejected", "No.")
        : undefined;
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ stage: "write", code: "sink.rejected" }]);
    expect(rig.sink.texts("docs:a")).toEqual(["new one", ...old]);
    rig.sink.refuses = () => undefined;
    rig.source.touch("a");
    await rig.run();
    expect(rig.sink.texts("docs:a")).toEqual(["new one", "new two"]);
    expect(await rig.difference()).toEqual([]);
  });

  it("remembers old and new ids, durably, before the first write", async () => {
    const rig = await indexed();
    const before = rig.sink.records.filter(({ document }) => document === "docs:a");
    rig.source.put("a", "old one\nnew two");
    let checked = false;
    rig.sink.beforeWrite = async (operations) => {
      const row = await rig.row("a");
      const held = [...(row?.targets.values() ?? [])];
      expect(held.map(({ status }) => status)).toEqual(["begun"]);
      const remembered = new Set(held.flatMap(({ ids }) => ids));
      for (const { id } of before) expect(remembered).toContain(id);
      for (const operation of operations) expect(remembered).toContain(idOf(operation));
      checked = true;
    };
    await rig.run();
    expect(checked).toBe(true);
    const after = await rig.row("a");
    expect([...(after?.targets.values() ?? [])]).toMatchObject([{ status: "settled" }]);
    expect(after?.owed).toBe(false);
  });
});

describe.each([
  ["a source that lists everything", false],
  ["a source with a cursor that lists nothing new", true],
])("one of two sinks, with %s", (_what, cursors) => {
  const down = new Fault("sink.unreachable", "Down.");

  it("settles while the other fails, which is owed and settled by the next run", async () => {
    const rig = await indexed({ sinks: ["good", "bad"], cursors });
    rig.source.put("a", "new one\nnew two");
    rig.sinkOf("bad").beforeWrite = () => Promise.reject(down);
    const failed = await rig.run();
    expect(failed.exitCode).toBe(5);
    expect(rig.sinkOf("good").texts("docs:a")).toEqual(["new one", "new two"]);
    expect(rig.sinkOf("bad").texts("docs:a")).toEqual(old);
    expect((await rig.row("a"))?.owed).toBe(true);
    expect((await rig.row("a"))?.failure).toBeUndefined();
    rig.sinkOf("bad").beforeWrite = async () => {};
    rig.forgetCounts();
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sinkOf("good").operations).toEqual([]);
    expect(summary.documents.updated).toBe(1);
    expect((await rig.row("a"))?.owed).toBe(false);
    expect(await rig.difference()).toEqual([]);
    rig.forgetCounts();
    await rig.run();
    expect(rig.source.opens).toEqual([]);
  });

  it("is still owed after a run that left it out", async () => {
    const rig = await indexed({ sinks: ["good", "bad"], cursors });
    rig.source.put("a", "new one\nnew two");
    rig.sinkOf("bad").beforeWrite = () => Promise.reject(down);
    await rig.run();
    rig.sinkOf("bad").beforeWrite = async () => {};
    await rig.run({ sinks: ["good"] });
    expect(rig.sinkOf("bad").texts("docs:a")).toEqual(old);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("is still owed after a run for the other alone has settled what both were owed", async () => {
    const rig = await indexed({ sinks: ["good", "bad"], cursors });
    rig.source.put("a", "new one\nnew two");
    for (const sink of rig.sinks.values()) sink.beforeWrite = () => Promise.reject(down);
    expect((await rig.run()).exitCode).toBe(5);
    for (const sink of rig.sinks.values()) sink.beforeWrite = async () => {};
    expect((await rig.run({ sinks: ["good"] })).exitCode).toBe(0);
    expect(rig.sinkOf("good").texts("docs:a")).toEqual(["new one", "new two"]);
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
  });

  it("gets its deletions later when it fails during one", async () => {
    const rig = await indexed({ sinks: ["good", "bad"], cursors });
    rig.source.remove("a");
    rig.sinkOf("bad").beforeWrite = () => Promise.reject(down);
    const failed = await rig.run();
    expect(failed.exitCode).toBe(5);
    expect(rig.sinkOf("good").texts("docs:a")).toEqual([]);
    expect(rig.sinkOf("bad").texts("docs:a")).toEqual(old);
    rig.sinkOf("bad").beforeWrite = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(await rig.difference()).toEqual([]);
    expect(await rig.row("a")).toBeUndefined();
  });

  it("counts each document once while the other sink is down", async () => {
    const rig = await indexed({ sinks: ["good", "bad"], cursors });
    rig.source.put("a", "new one");
    rig.source.put("c", "new too");
    rig.sinkOf("bad").beforeWrite = () => Promise.reject(down);
    const { summary } = await rig.run();
    const { listed, failed, unchanged } = summary.documents;
    expect([listed, failed, unchanged]).toEqual(cursors ? [2, 2, 0] : [3, 2, 1]);
    expect(summary.failures.map(({ document }) => document).toSorted()).toEqual([
      "docs:a",
      "docs:c",
    ]);
    expect(summary.sinks["bad"]?.failed).toBe(2);
    expect(rig.source.opens.toSorted()).toEqual(["a", "c"]);
  });
});
