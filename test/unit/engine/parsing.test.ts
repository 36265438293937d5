import { describe, expect, it } from "vitest";
import type { Parser, ParserEvent } from "../../../src/contracts/index.ts";
import { parserFor } from "../../../src/engine/parsing.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { lineParser } from "./rig/stages.ts";

const limit = 10_000;
const never = (): Promise<never> => new Promise(() => undefined);
const block = (text: string): ParserEvent => {
  return { kind: "block", block: { kind: "paragraph", text, headings: [] } };
};

function parsedBy(parse: Parser["parse"]): Rig {
  const rig = new Rig();
  rig.set({ limits: { parseTimeoutMs: limit } });
  const settings = rig.sources.get("docs");
  if (settings !== undefined) settings.parser = { ...lineParser(), parse };
  rig.source.put("a", "one");
  return rig;
}

const signal = new AbortController().signal;

describe("a parser that never ends", () => {
  it.each<[string, (rig: Rig) => Parser["parse"]]>([
    [
      "and gives nothing",
      () =>
        async function* () {
          yield* [];
          await never();
        },
    ],
    [
      "after a first block",
      () =>
        async function* () {
          yield block("first");
          await never();
        },
    ],
    [
      "and gives blocks, each after a while",
      (rig) =>
        async function* () {
          for (let number = 0; ; number += 1) {
            await rig.clock.sleep(100, signal);
            yield block(`block ${number}`);
          }
        },
    ],
  ])("%s is stopped by the time limit; nothing is written", async (_what, parse) => {
    const rig = parsedBy(never as never);
    const settings = rig.sources.get("docs");
    if (settings !== undefined) settings.parser = { ...lineParser(), parse: parse(rig) };
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([{ stage: "parse", code: "parse.timeout" }]);
    expect(rig.clock.monotonic()).toBeGreaterThanOrEqual(limit);
    expect(rig.clock.monotonic()).toBeLessThan(limit * 1.2);
    expect(rig.sink.operations).toEqual([]);
  });

  it("gets no more time because its source was slow before it began", async () => {
    const rig = parsedBy(async function* () {
      yield* [];
      await never();
    });
    rig.source.beforeOpen = () => rig.clock.sleep(8 * limit, signal);
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ code: "parse.timeout" }]);
    expect(rig.clock.monotonic()).toBeLessThan(9.2 * limit);
  });
});

describe("the time of a parser", () => {
  it("is not that of a slow source", async () => {
    const rig = parsedBy(lineParser().parse);
    rig.source.beforeOpen = () => rig.clock.sleep(3 * limit, signal);
    expect((await rig.run()).exitCode).toBe(0);
  });

  it("is not that of a slow source while a large document passes", async () => {
    const rig = parsedBy(async function* (_document, content) {
      let bytes = 0;
      for await (const part of content) bytes += part.byteLength;
      yield block(`${bytes} bytes`);
    });
    const parts = 20;
    const size = 1024 * 1024;
    const original = rig.source.refOf("a", { text: "", revision: "1" });
    rig.source.say = (events) =>
      events.map((event) =>
        event.kind === "document"
          ? {
              kind: "document",
              document: {
                ...original,
                content: {
                  kind: "bytes",
                  sizeBytes: parts * size,
                  async *open() {
                    for (let part = 0; part < parts; part += 1) {
                      await rig.clock.sleep(limit / 4, signal);
                      yield new Uint8Array(size);
                    }
                  },
                },
              },
            }
          : event,
      );
    const { summary, exitCode } = await rig.run();
    expect(summary.failures).toEqual([]);
    expect(exitCode).toBe(0);
    expect(rig.sink.texts()).toEqual([`${parts * size} bytes`]);
  });

  it("is not that of a slow embedder or sink behind it", async () => {
    const rig = parsedBy(lineParser().parse);
    rig.source.put("a", Array.from({ length: 2000 }, (_, line) => `line ${line}`).join("\n"));
    rig.embedder.before = () => rig.clock.sleep(limit, signal);
    rig.sink.beforeWrite = () => rig.clock.sleep(limit, signal);
    expect((await rig.run()).exitCode).toBe(0);
  });
});

describe("a parser", () => {
  it("that throws anything makes its document fail, without showing the content", async () => {
    const rig = parsedBy(async function* () {
      yield* [];
      throw new RangeError("secret content");
    });
    const { summary, exitCode } = await rig.run();
    expect(exitCode).toBe(3);
    expect(summary.failures).toMatchObject([{ code: "parse.malformed", document: "docs:a" }]);
    expect(JSON.stringify(summary)).not.toContain("secret content");
  });

  it("that stops early in a large document leaves it indexed, by the hash of all of it", async () => {
    const rig = parsedBy(async function* (_document, content) {
      await content[Symbol.asyncIterator]().next();
      yield block("the beginning");
    });
    const large = `start\n${"x".repeat(9 * 1024 * 1024)}`;
    rig.source.put("a", large);
    const { summary, exitCode } = await rig.run();
    expect(summary.failures).toEqual([]);
    expect(exitCode).toBe(0);
    expect(rig.sink.texts()).toEqual(["the beginning"]);
    rig.source.touch("a");
    rig.forgetCounts();
    expect((await rig.run()).summary.documents.unchanged).toBe(1);
    expect(rig.sink.operations).toEqual([]);
    rig.source.put("a", `${large} and more`);
    expect((await rig.run()).summary.documents.updated).toBe(1);
  });

  it("that is told of a source's fault hands it on", async () => {
    const rig = parsedBy(lineParser().parse);
    rig.source.beforeOpen = async () => {
      throw new Fault("source.not-a-file", "A pipe.");
    };
    const { summary } = await rig.run();
    expect(summary.failures).toMatchObject([{ stage: "read", code: "source.not-a-file" }]);
  });

  it("of the exact type is preferred to one of the family, in any order", () => {
    const exact = {
      type: "exact",
      recipe: "",
      parser: { ...lineParser(), mediaTypes: ["text/x"] },
    };
    const family = {
      type: "family",
      recipe: "",
      parser: { ...lineParser(), mediaTypes: ["text/*"] },
    };
    const rig = new Rig();
    const source = rig.pipeline.sources.get("docs");
    if (source === undefined) throw new Error("There is no source.");
    for (const parsers of [
      [exact, family],
      [family, exact],
    ]) {
      expect(parserFor({ ...source, parsers }, "text/x")?.type).toBe("exact");
      expect(parserFor({ ...source, parsers }, "text/y")?.type).toBe("family");
      expect(parserFor({ ...source, parsers }, "image/x")).toBeUndefined();
    }
  });
});

describe("a document larger than the limit", () => {
  it.each([0, undefined])(
    "fails, whatever its listing says of its size (%s)",
    async (sizeBytes) => {
      const rig = new Rig();
      rig.set({ limits: { maxDocumentBytes: 1000 } });
      rig.source.put("a", "x".repeat(1001), sizeBytes === undefined ? {} : { sizeBytes });
      rig.source.put("b", "y".repeat(1000));
      const { summary } = await rig.run();
      expect(summary.failures).toMatchObject([{ document: "docs:a", code: "parse.too-large" }]);
      expect(rig.sink.texts()).toEqual(["y".repeat(1000)]);
    },
  );

  it("passes when its parser streams", async () => {
    const rig = new Rig();
    rig.set({ limits: { maxDocumentBytes: 1000 } });
    const settings = rig.sources.get("docs");
    if (settings !== undefined) settings.parser = { ...lineParser(), streams: true };
    rig.source.put("a", "x".repeat(1001));
    expect((await rig.run()).exitCode).toBe(0);
  });
});
