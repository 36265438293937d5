import { describe, expect, it } from "vitest";
import { acceptFailures, listFailures, retryFailures } from "../../../src/engine/inspect.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSink } from "./rig/sink.ts";

/** A document that can never be parsed, and one that can. */
async function dead(options: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
  const rig = new Rig(options);
  rig.source.put("good", "good");
  rig.source.put("bad", "!malformed");
  expect((await rig.run()).exitCode).toBe(3);
  rig.forgetCounts();
  return rig;
}

describe("a failure that will come again", () => {
  it("is not tried again while the document stays, and still makes the run end with 3", async () => {
    const rig = await dead();
    for (let again = 0; again < 3; again += 1) {
      const { summary, exitCode } = await rig.run();
      expect(exitCode).toBe(3);
      expect(summary.documents).toMatchObject({ listed: 2, unchanged: 1, failed: 1 });
      expect(summary.failures).toMatchObject([{ document: "docs:bad", code: "parse.malformed" }]);
    }
    expect(rig.source.opens).toEqual([]);
    expect((await rig.row("bad"))?.failure?.attempts).toBe(1);
  });

  it("is told also by a run that lists nothing", async () => {
    const rig = await dead({ cursors: true });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(rig.source.resumed.at(-1)).toBe(true);
    expect(summary.documents).toMatchObject({ listed: 1, failed: 1 });
    expect(rig.source.opens).toEqual([]);
  });

  it.each<[string, (rig: Rig) => unknown]>([
    ["the document gets a new revision", (rig) => rig.source.touch("bad")],
    ["its metadata changes", (rig) => rig.source.describe("bad", { metadata: { x: 1 } })],
    [
      "the recipe of its parser changes",
      (rig) => Object.assign(rig.sources.get("docs") ?? {}, { parserRecipe: "lines 2" }),
    ],
    [
      "the recipe of the chunker changes",
      (rig) => Object.assign(rig.sources.get("docs") ?? {}, { chunkerRecipe: "lines 2" }),
    ],
    ["the user asks for it", (rig) => retryFailures(rig.pipeline, ["docs:bad"])],
    ["the user asks for all", (rig) => retryFailures(rig.pipeline)],
  ])("is tried again when %s", async (_what, change) => {
    const rig = await dead();
    rig.set({ reprocess: { maxFraction: 1 } });
    await change(rig);
    await rig.run();
    expect(rig.source.opens).toContain("bad");
  });

  it("is tried again with `full`", async () => {
    const rig = await dead();
    await rig.run({ full: true });
    expect(rig.source.opens).toContain("bad");
  });

  it("is tried again by the user's wish also when the source lists nothing", async () => {
    const rig = await dead({ cursors: true });
    rig.source.describe("bad", { text: "mended" });
    rig.source.log.length = 2;
    await rig.run();
    expect(rig.source.opens).toEqual([]);
    await retryFailures(rig.pipeline, ["docs:bad"]);
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.texts("docs:bad")).toEqual(["mended"]);
  });

  it("is gone when the document is mended", async () => {
    const rig = await dead();
    rig.source.put("bad", "mended");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ added: 1, unchanged: 1, failed: 0 });
    expect(await listFailures(rig.pipeline)).toEqual([]);
  });

  it("is gone when the document is", async () => {
    const rig = await dead();
    rig.source.remove("bad");
    expect((await rig.run()).exitCode).toBe(0);
    expect(await listFailures(rig.pipeline)).toEqual([]);
    expect(await rig.row("bad")).toBeUndefined();
  });

  it("is told by its stage, message and count of attempts", async () => {
    const rig = await dead();
    rig.clock.wall += 5000;
    await rig.run({ full: true });
    expect(await listFailures(rig.pipeline)).toMatchObject([
      {
        document: "docs:bad",
        stage: "parse",
        code: "parse.malformed",
        attempts: 2,
        indexed: false,
      },
    ]);
    const failure = (await rig.row("bad"))?.failure;
    expect((failure?.lastAt ?? 0) - (failure?.firstAt ?? 0)).toBeGreaterThanOrEqual(5000);
  });

  it("in one sink does not keep the document from a sink that is new", async () => {
    const rig = new Rig({ sinks: ["first"] });
    rig.source.put("a", "one\ntwo");
    rig.sink.refuses = (operation) =>
      operation.kind === "upsert" && operation.record.text === "two"
        ? new Fault("sink.rejected", "No.")
        : undefined;
    expect((await rig.run()).exitCode).toBe(3);
    const opens = rig.source.opens.length;
    await rig.run();
    expect(rig.source.opens).toHaveLength(opens);
    rig.sinks.set("second", new RigSink("second"));
    expect((await rig.run()).exitCode).toBe(3);
    expect(rig.sinkOf("second").texts("docs:a")).toEqual(["one", "two"]);
    rig.forgetCounts();
    expect((await rig.run()).exitCode).toBe(3);
    expect(rig.source.opens).toEqual([]);
  });
});

describe("a document that one sink refuses while another is down", () => {
  it.each([true, false])(
    "is written to the other once it is back (cursor: %s)",
    async (cursors) => {
      const rig = new Rig({ sinks: ["refuses", "down"], cursors });
      rig.source.put("a", "old one\nold two");
      await rig.run();
      rig.source.put("a", "one\ntwo");
      const no = new Fault("sink.rejected", "No.");
      rig.sinkOf("refuses").refuses = ({ kind }) => (kind === "upsert" ? no : undefined);
      rig.sinkOf("down").limits = { operationsPerWrite: 1 };
      rig.sinkOf("down").beforeWrite = async (operations) => {
        const [first] = operations;
        if (first?.kind === "upsert" && first.record.text === "one") return;
        throw new Fault("sink.unreachable", "Down.");
      };
      expect((await rig.run()).exitCode).toBe(5);
      expect(rig.sinkOf("down").texts()).toEqual(["old one", "old two", "one"]);
      rig.sinkOf("down").beforeWrite = async () => {};
      expect((await rig.run()).exitCode).toBe(3);
      expect(rig.sinkOf("down").texts()).toEqual(["one", "two"]);
      rig.forgetCounts();
      const { summary } = await rig.run();
      expect(summary.documents).toMatchObject({ listed: 1, failed: 1 });
      expect(rig.source.opens).toEqual([]);
    },
  );
});

describe("a failure that may pass", () => {
  it.each([true, false])("is tried again by the next run (cursor: %s)", async (cursors) => {
    const rig = new Rig({ cursors });
    rig.source.put("a", "one");
    rig.source.beforeOpen = async () => {
      throw new Fault("source.unreadable", "Not now.");
    };
    const { exitCode, summary } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([{ stage: "read", code: "source.unreadable" }]);
    rig.source.beforeOpen = async () => {};
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.texts()).toEqual(["one"]);
    expect(await rig.row("a")).toMatchObject({ failure: undefined, owed: false });
  });
});

describe("a failure that the user accepted", () => {
  it("no longer makes the run end with 3, and is still counted", async () => {
    const rig = await dead();
    expect(await acceptFailures(rig.pipeline, ["docs:bad"])).toEqual({ documents: 1 });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.status).toBe("succeeded");
    expect(summary.documents).toMatchObject({ listed: 2, failed: 1 });
    // Tried again without success, it stays accepted.
    expect((await rig.run({ full: true })).exitCode).toBe(0);
  });

  it("is one of that version only", async () => {
    const rig = await dead();
    await acceptFailures(rig.pipeline);
    rig.source.touch("bad");
    expect((await rig.run()).exitCode).toBe(3);
  });
});

function broken(count: number): Rig {
  const rig = new Rig();
  rig.set({ failures: { maxDocuments: 10 }, limits: { documents: 4 } });
  for (let number = 0; number < count; number += 1) rig.source.put(`d${number}`, "!malformed");
  return rig;
}

describe("too many new failures", () => {
  it.each([11, 200, 1000])("stop the run with exit code 4 (%i broken documents)", async (count) => {
    const rig = broken(count);
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(4);
    expect(summary.error?.code).toBe("refused.failures");
    expect(summary.documents.failed).toBeLessThan(10 + 10 + 4);
    expect(rig.source.opens.length).toBeLessThan(10 + 10 + 4);
  });

  it("are no more than the limit, and then the run goes on", async () => {
    const rig = broken(10);
    rig.source.put("good", "good");
    expect((await rig.run()).exitCode).toBe(3);
    expect(rig.sink.texts()).toEqual(["good"]);
  });

  it("are a hundredth of many documents", async () => {
    const rig = broken(15);
    for (let number = 0; number < 2000; number += 1) rig.source.documents.delete(`g${number}`);
    const bad = [...rig.source.documents];
    rig.source.documents.clear();
    for (let number = 0; number < 2000; number += 1) rig.source.put(`g${number}`, `t${number}`);
    for (const [id, document] of bad) rig.source.documents.set(id, document);
    expect((await rig.run()).exitCode).toBe(3);
  });

  it("do not count those that failed before", async () => {
    const rig = broken(10);
    await rig.run();
    for (let number = 10; number < 15; number += 1) rig.source.put(`d${number}`, "!malformed");
    expect((await rig.run()).exitCode).toBe(3);
    expect((await rig.run({ full: true })).exitCode).toBe(3);
  });
});
