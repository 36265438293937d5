import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { SourceEvent } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

function twoSources(): Rig {
  const rig = new Rig();
  const other = new RigSource();
  rig.sources.set("wiki", { source: other });
  for (let number = 0; number < 20; number += 1) {
    rig.source.put(`d${number}`, `text ${number}`);
    other.put(`w${number}`, `wiki ${number}`);
  }
  return rig;
}

describe("a limit", () => {
  it.each([1, 5, 25])("holds for all sources together (%i)", async (limit) => {
    const rig = twoSources();
    const { summary, exitCode } = await rig.run({ limit });
    expect([exitCode, summary.documents.listed]).toEqual([0, limit]);
    expect(rig.sink.records).toHaveLength(limit);
  });

  it("is not used up by deletions", async () => {
    const rig = twoSources();
    rig.sources.delete("wiki");
    await rig.run();
    for (let number = 0; number < 20; number += 1) rig.source.touch(`d${number}`);
    rig.source.say = (events) => [
      ...events.slice(0, 1),
      ...["d0", "d1", "d2"].map((documentId): SourceEvent => ({ kind: "deletion", documentId })),
      ...events.slice(4),
    ];
    const { summary } = await rig.run({ limit: 3 });
    expect(summary.documents).toMatchObject({ listed: 3, unchanged: 3 });
  });

  it("is kept also when more documents are owed from an earlier run", async () => {
    const rig = twoSources();
    rig.source.beforeOpen = async () => {
      throw new Fault("source.unreadable", "Not now.");
    };
    expect((await rig.run()).exitCode).toBe(3);
    rig.source.beforeOpen = async () => {};
    rig.forgetCounts();
    const { summary } = await rig.run({ limit: 4, sources: ["docs"] });
    expect(summary.documents).toMatchObject({ listed: 4, added: 4, failed: 0 });
    expect(rig.source.opens).toHaveLength(4);
  });
});

describe("a name that the file does not have", () => {
  it.each([{ sources: ["zz"] }, { sinks: ["zz"] }, { sources: ["docs", "zz"] }])(
    "is refused before there is a state or a run in the history (%o)",
    async (options) => {
      const folder = await mkdtemp(join(tmpdir(), "sluice-trials-"));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const path = join(folder, "deep", "state.sqlite");
      const rig = twoSources();
      rig.state = sqliteStateStore({ path });
      const { summary, exitCode } = await rig.run(options);
      expect([exitCode, summary.error?.code]).toEqual([2, "config.invalid"]);
      expect(summary.error?.message).toContain("`zz`");
      expect(existsSync(join(folder, "deep"))).toBe(false);
      await rig.run();
      await rig.run(options);
      const runs = await rig.reading((session) => session.runs(10));
      expect(runs.map(({ status }) => status)).toEqual(["succeeded"]);
      await rig.state.close();
    },
  );
});

function told(rig: Rig) {
  return rig.events.filter(({ kind }) => kind === "source-empty");
}

describe("a source in which nothing was ever found", () => {
  it("is told by a run, with what the source says about it", async () => {
    const rig = new Rig();
    Object.assign(rig.source, { whenEmpty: "Look elsewhere." });
    expect((await rig.run()).exitCode).toBe(0);
    expect(told(rig)).toEqual([
      { kind: "source-empty", source: "docs", whenEmpty: "Look elsewhere." },
    ]);
  });

  it.each<[string, (rig: Rig) => unknown]>([
    ["has a document", (rig) => rig.source.put("a", "one")],
    ["has a broken document", (rig) => rig.source.put("a", "!malformed")],
    ["was not listed to its end", (rig) => Object.assign(rig.source, { listing: "partial" })],
    [
      "has a folder that cannot be read",
      (rig) => {
        const fault = new Fault("source.unreadable", "No.");
        rig.source.say = ([first, ...rest]) => [
          ...(first === undefined ? [] : [first]),
          { kind: "failure", prefix: "in/", fault },
          ...rest,
        ];
      },
    ],
  ])("is not one that %s", async (_what, change) => {
    const rig = new Rig();
    change(rig);
    await rig.run();
    expect(told(rig)).toEqual([]);
  });

  it("is not one whose documents went away", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.put("b", "two");
    await rig.run();
    rig.source.documents.clear();
    expect((await rig.run()).exitCode).toBe(4);
    expect(told(rig)).toEqual([]);
  });
});
