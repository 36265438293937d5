import { describe, expect, it } from "vitest";
import type { ParserEvent, SourceEvent } from "../../../src/contracts/index.ts";
import { Rig } from "./rig/rig.ts";
import { lineParser } from "./rig/stages.ts";

function twoDocuments(): Rig {
  const rig = new Rig({ sinks: ["wide", "narrow"] });
  rig.sinkOf("narrow").dimension = 4;
  rig.source.put("a", "one\ntwo\nthree");
  rig.source.put("b", "four\nfour");
  return rig;
}

/** The same document as rows, which are read without a parser. */
function asBlocks(event: SourceEvent): SourceEvent {
  if (event.kind !== "document") return event;
  const blocks = ["one", "two"].map((text): ParserEvent => {
    return { kind: "block", block: { kind: "paragraph", text, headings: [] } };
  });
  async function* open(): AsyncGenerator<ParserEvent> {
    yield* blocks;
  }
  return { kind: "document", document: { ...event.document, content: { kind: "blocks", open } } };
}

describe("a second run", () => {
  it("opens, embeds and writes nothing when nothing changed", async () => {
    const rig = twoDocuments();
    const first = await rig.run();
    expect(first.exitCode).toBe(0);
    expect(first.summary.documents).toMatchObject({ listed: 2, added: 2, failed: 0 });
    expect(await rig.difference()).toEqual([]);
    rig.forgetCounts();
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 2, unchanged: 2, added: 0, updated: 0 });
    expect(rig.source.opens).toEqual([]);
    expect(rig.embedder.texts).toEqual([]);
    for (const sink of rig.sinks.values()) {
      expect(sink.operations).toEqual([]);
      expect(sink.markers).toBe(0);
    }
    expect(await rig.difference()).toEqual([]);
  });

  it("reads a touched document and does nothing more", async () => {
    const rig = twoDocuments();
    await rig.run();
    rig.source.touch("a");
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(rig.source.opens).toEqual(["a"]);
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toEqual([]);
    expect(rig.sink.markers).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 2, unchanged: 2, updated: 0 });
    rig.forgetCounts();
    await rig.run();
    expect(rig.source.opens).toEqual([]);
  });

  it("hashes a large document that was touched, and does not parse it", async () => {
    const rig = new Rig();
    let parsed = 0;
    const parser = lineParser();
    const settings = rig.sources.get("docs");
    if (settings === undefined) throw new Error("There is no source.");
    settings.parser = {
      ...parser,
      parse: (...parts) => {
        parsed += 1;
        return parser.parse(...parts);
      },
    };
    rig.source.put("a", `one\n${"x".repeat(9 * 1024 * 1024)}`);
    await rig.run();
    rig.source.touch("a");
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ unchanged: 1, updated: 0 });
    expect(parsed).toBe(1);
    expect(rig.source.opens).toEqual(["a", "a"]);
  });

  it("counts a touched document that needs no parser as unchanged, and writes nothing", async () => {
    const rig = new Rig();
    rig.source.put("a", "one");
    rig.source.say = (events) => events.map(asBlocks);
    await rig.run();
    expect(rig.sink.texts()).toEqual(["one", "two"]);
    rig.source.touch("a");
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ unchanged: 1, updated: 0 });
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.operations).toEqual([]);
    rig.forgetCounts();
  });

  it("rewrites every record of a document whose metadata alone changed, and embeds nothing", async () => {
    const rig = twoDocuments();
    await rig.run();
    rig.source.describe("a", { metadata: { team: "platform" } });
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ updated: 1, unchanged: 1 });
    expect(rig.embedder.texts).toEqual([]);
    for (const sink of rig.sinks.values()) {
      expect(sink.operations.map(({ kind }) => kind)).toEqual(["upsert", "upsert", "upsert"]);
      const teams = sink.records.map(({ document, metadata }) => [document, metadata?.["team"]]);
      expect(teams.filter(([, team]) => team === "platform")).toHaveLength(3);
      expect(teams.filter(([document]) => document === "docs:b")).toEqual([
        ["docs:b", undefined],
        ["docs:b", undefined],
      ]);
    }
    expect(await rig.difference()).toEqual([]);
  });

  it.each([
    ["title", { title: "A title" }],
    ["uri", { uri: "https://example.com/a" }],
  ])("notices a %s that changed alone", async (_what, change) => {
    const rig = twoDocuments();
    await rig.run();
    rig.source.describe("a", change);
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ updated: 1, unchanged: 1 });
    expect(await rig.difference()).toEqual([]);
  });

  it("writes again when the metadata of the source in the file changed", async () => {
    const rig = twoDocuments();
    await rig.run();
    const settings = rig.sources.get("docs");
    if (settings !== undefined) settings.metadata = { team: "search" };
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ updated: 2 });
    expect(rig.embedder.texts).toEqual([]);
    expect(rig.sink.records.every(({ metadata }) => metadata?.["team"] === "search")).toBe(true);
    expect(await rig.difference()).toEqual([]);
  });

  it("reads a document again whose revision was provisional, until it no longer is", async () => {
    const rig = twoDocuments();
    rig.source.put("young", "five", { provisional: true });
    await rig.run();
    rig.forgetCounts();
    await rig.run();
    expect(rig.source.opens).toEqual(["young"]);
    expect(rig.sink.operations).toEqual([]);
    // The content changed within the grain of the clock: the revision is the same.
    rig.source.describe("young", { text: "six" });
    await rig.run();
    expect(rig.sink.texts("docs:young")).toEqual(["six"]);
    rig.source.describe("young", { provisional: false });
    await rig.run();
    rig.forgetCounts();
    await rig.run();
    expect(rig.source.opens).toEqual([]);
  });

  it("reads everything with `full` and still writes only what changed", async () => {
    const rig = twoDocuments();
    await rig.run();
    // Changed behind an unchanged revision.
    rig.source.describe("b", { text: "five" });
    rig.forgetCounts();
    const blind = await rig.run();
    expect(blind.summary.documents).toMatchObject({ unchanged: 2 });
    expect(rig.source.opens).toEqual([]);
    const { summary } = await rig.run({ full: true });
    expect(rig.source.opens.toSorted()).toEqual(["a", "b"]);
    expect(summary.documents).toMatchObject({ listed: 2, unchanged: 1, updated: 1 });
    expect(rig.embedder.texts).toEqual(["five"]);
    expect(await rig.difference()).toEqual([]);
  });

  it("ignores an old cursor with `full`", async () => {
    const rig = new Rig({ cursors: true });
    rig.source.put("a", "one");
    await rig.run();
    await rig.run();
    expect(rig.source.resumed).toEqual([false, true]);
    await rig.run({ full: true });
    expect(rig.source.resumed).toEqual([false, true, false]);
    expect(rig.source.opens).toEqual(["a", "a"]);
  });
});

describe("a run after changes", () => {
  it("ends as a fresh run would: added, edited, emptied, removed and swapped documents", async () => {
    const rig = twoDocuments();
    rig.source.put("c", "five\nsix");
    rig.source.put("gone", "seven");
    await rig.run();
    rig.source.put("a", "two\none\nnew");
    rig.source.put("b", "five\nsix");
    rig.source.put("c", "");
    rig.source.remove("gone");
    rig.source.put("late", "one");
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(0);
    expect(summary.documents).toMatchObject({ listed: 4, added: 1, updated: 3, deleted: 1 });
    expect(await rig.difference()).toEqual([]);
    expect(rig.sink.texts("docs:gone")).toEqual([]);
    expect(rig.sink.texts("docs:c")).toEqual([]);
  });

  it("keeps the ids of chunks whose text stayed, also of equal ones", async () => {
    const rig = new Rig();
    rig.source.put("a", "same\nother\nsame");
    await rig.run();
    const before = new Set(rig.sink.records.map(({ id }) => id));
    rig.source.put("a", "new\nsame\nsame\nother");
    rig.forgetCounts();
    await rig.run();
    const after = rig.sink.records.map(({ id }) => id);
    expect(after).toHaveLength(4);
    expect(after.filter((id) => before.has(id))).toHaveLength(3);
    expect(rig.sink.operations.filter(({ kind }) => kind === "delete")).toEqual([]);
  });

  it("stores positions only when asked, and rewrites without embedding when that changes", async () => {
    const rig = twoDocuments();
    rig.set({ positions: true });
    await rig.run();
    const positions = rig.sink.operations.map((operation) =>
      operation.kind === "upsert" ? operation.record.position : undefined,
    );
    expect(positions.toSorted()).toEqual([0, 0, 1, 1, 2]);
    rig.set({ positions: false });
    rig.forgetCounts();
    const { summary } = await rig.run();
    expect(summary.documents.updated).toBe(2);
    expect(rig.embedder.texts).toEqual([]);
    const left = rig.sink.operations.map((operation) =>
      operation.kind === "upsert" ? operation.record.position : 0,
    );
    expect(new Set(left)).toEqual(new Set([undefined]));
  });

  it("rewrites without embedding when the shape of a sink's records changes, there alone", async () => {
    const rig = twoDocuments();
    await rig.run();
    rig.sinkOf("narrow").shapeSuffix = " changed";
    rig.forgetCounts();
    await rig.run();
    expect(rig.sinkOf("narrow").operations).toHaveLength(5);
    expect(rig.sinkOf("wide").operations).toEqual([]);
    expect(rig.embedder.texts).toEqual([]);
  });

  it("drops an event that is older than what is known", async () => {
    const rig = new Rig();
    rig.source.put("a", "new", { order: 10n });
    await rig.run();
    rig.source.put("a", "old", { order: 9n });
    const { summary } = await rig.run();
    expect(summary.documents).toMatchObject({ listed: 1, unchanged: 1, deleted: 0 });
    expect(rig.sink.texts()).toEqual(["new"]);
    rig.source.put("a", "newest", { order: 11n });
    await rig.run();
    expect(rig.sink.texts()).toEqual(["newest"]);
  });

  it("drops an older event also while a newer one is at work", async () => {
    const rig = new Rig();
    rig.source.put("a", "new", { order: 10n });
    const old = rig.source.refOf("a", { text: "old", revision: "old", order: 9n });
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" ? [event, { kind: "document", document: old }] : [event],
      );
    const { summary } = await rig.run();
    expect(rig.sink.texts()).toEqual(["new"]);
    expect(summary.documents).toMatchObject({ listed: 1, added: 1, unchanged: 0 });
    expect((await rig.row("a"))?.order).toBe("10");
  });

  it("follows a deletion that waits behind a task against an older event", async () => {
    const rig = new Rig();
    rig.source.put("a", "new", { order: 10n });
    rig.source.put("b", "other");
    rig.source.put("c", "other");
    await rig.run();
    rig.source.put("a", "newer", { order: 11n });
    const old = rig.source.refOf("a", { text: "old", revision: "old", order: 5n });
    rig.source.say = (events) =>
      events.flatMap((event): SourceEvent[] =>
        event.kind === "document" && event.document.id === "a"
          ? [
              event,
              { kind: "deletion", documentId: "a", order: 12n },
              { kind: "document", document: old },
            ]
          : [event],
      );
    await rig.run();
    expect(rig.sink.texts("docs:a")).toEqual([]);
  });
});

describe("limit", () => {
  it("pulls no more documents than asked, and sweeps nothing", async () => {
    const rig = new Rig();
    for (let number = 0; number < 20; number += 1) rig.source.put(`d${number}`, `text ${number}`);
    const { summary } = await rig.run({ limit: 3 });
    expect(summary.documents).toMatchObject({ listed: 3, added: 3 });
    expect(rig.sink.records).toHaveLength(3);
    await rig.run();
    expect(rig.sink.records).toHaveLength(20);
    rig.source.remove("d0");
    rig.source.remove("d19");
    await rig.run({ limit: 3 });
    expect(rig.sink.records).toHaveLength(20);
    await rig.run();
    expect(await rig.difference()).toEqual([]);
  });
});
