import { readdirSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { Source } from "../../../src/contracts/index.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { Rig } from "./rig/rig.ts";
import { lineParser, wordsIn } from "./rig/stages.ts";

/** Open files of this process whose name says that they are spools; nameless ones are marked as deleted. */
function openSpools(): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.includes(".spool") ? [path] : [];
    } catch {
      return [];
    }
  });
}

function spoolFiles(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.endsWith(".spool"));
}

/** Takes a moment of virtual time, so that calls overlap as much as they can. */
function slow(rig: Rig): void {
  const signal = new AbortController().signal;
  rig.embedder.before = () => rig.clock.sleep(30, signal);
  rig.sink.beforeWrite = () => rig.clock.sleep(30, signal);
  rig.source.beforeOpen = () => rig.clock.sleep(5, signal);
}

function fill(rig: Rig, documents: number, lines: number): void {
  for (let number = 0; number < documents; number += 1) {
    const texts = Array.from(
      { length: lines },
      (_, line) => `text ${number} ${line} and more words`,
    );
    rig.source.put(`d${number}`, texts.join("\n"));
  }
}

describe("in flight", () => {
  it("are never more documents than `limits.documents`, and as many where there are enough", async () => {
    const rig = new Rig();
    rig.set({ limits: { documents: 7 } });
    fill(rig, 100, 2);
    slow(rig);
    await rig.run();
    expect(rig.source.opening.most).toBe(7);
    expect(rig.sink.records).toHaveLength(200);
  });

  it("are never more calls, texts or tokens at the embedder than its limits", async () => {
    const rig = new Rig();
    rig.embedder.limits = { textsPerCall: 5, tokensPerCall: 18, concurrentCalls: 3 };
    fill(rig, 40, 5);
    slow(rig);
    await rig.run();
    expect(rig.embedder.calling.most).toBe(3);
    expect(Math.max(...rig.embedder.calls.map((call) => call.length))).toBeLessThanOrEqual(5);
    const tokens = rig.embedder.calls.map((call) =>
      call.reduce((sum, text) => sum + wordsIn(text), 0),
    );
    expect(Math.max(...tokens)).toBeLessThanOrEqual(18);
    expect(Math.max(...tokens)).toBeGreaterThan(12);
  });

  it("are never more tokens on their way to the embedder than `limits.tokens_in_flight`", async () => {
    const rig = new Rig();
    rig.embedder.limits = { textsPerCall: 100, tokensPerCall: 10_000, concurrentCalls: 100 };
    rig.set({ limits: { tokensInFlight: 60 } });
    fill(rig, 40, 5);
    slow(rig);
    await rig.run();
    expect(rig.embedder.tokens.most).toBeLessThanOrEqual(60);
    expect(rig.embedder.tokens.most).toBeGreaterThan(30);
    expect(rig.sink.records).toHaveLength(200);
  });

  it("lets a chunk through alone that is larger than all tokens together", async () => {
    const rig = new Rig();
    rig.set({ limits: { tokensInFlight: 4 } });
    rig.source.put("a", `${"word ".repeat(50)}\nshort\n${"word ".repeat(20)}`);
    expect((await rig.run()).exitCode).toBe(0);
    expect(rig.sink.records).toHaveLength(3);
  });

  it("are never more writes, operations or bytes at a sink than its limits", async () => {
    const rig = new Rig();
    const bytesPerWrite = 3000;
    rig.sink.limits = { operationsPerWrite: 6, bytesPerWrite, concurrentWrites: 2 };
    fill(rig, 40, 5);
    slow(rig);
    await rig.run();
    expect(rig.sink.writing.most).toBe(2);
    expect(Math.max(...rig.sink.writes.map((write) => write.length))).toBeLessThanOrEqual(6);
    expect(rig.sink.records).toHaveLength(200);
  });

  it("are few documents at once when they are large and memory is small", async () => {
    const rig = new Rig();
    // Each counts for 64 KiB and eight times its size: four fit into half of this.
    rig.set({ limits: { memoryBytes: 8 * (64 * 1024 + 8 * 100_000), documents: 50 } });
    for (let number = 0; number < 20; number += 1) {
      rig.source.put(`d${number}`, `text ${number}`, { sizeBytes: 100_000 });
    }
    slow(rig);
    await rig.run();
    expect(rig.source.opening.most).toBe(4);
  });
});

describe("a source", () => {
  it("is held up while documents wait: it is never far ahead of what is done", async () => {
    const rig = new Rig();
    rig.set({ limits: { documents: 4 } });
    fill(rig, 5000, 1);
    slow(rig);
    let ahead = 0;
    let listed = 0;
    let done = 0;
    rig.source.say = async function* (events) {
      for (const event of events) {
        if (event.kind === "document") listed += 1;
        ahead = Math.max(ahead, listed - done);
        yield event;
      }
    };
    await rig.run({
      observe: (event) => {
        if (event.kind === "document-settled") done += 1;
      },
    });
    expect(done).toBe(5000);
    // Two batches of 256 beside what waits and what is at work.
    expect(ahead).toBeLessThan(256 * 3 + 8);
  });

  it("is read no further than a batch after the first request to stop", async () => {
    const rig = new Rig();
    const stop = new AbortController();
    let listed = 0;
    const endless: Source["read"] = async function* () {
      yield { kind: "listing", resumed: false };
      for (;;) {
        listed += 1;
        const text = { text: `t${listed}`, revision: "1" };
        yield { kind: "document", document: rig.source.refOf(`d${listed}`, text) };
        if (listed === 1000) stop.abort();
      }
    };
    rig.source.read = endless as typeof rig.source.read;
    const { exitCode } = await rig.run({ stop: stop.signal });
    expect(exitCode).toBe(130);
    expect(listed).toBeLessThan(1000 + 512);
  });
});

/** A document whose batches are full at once, so that nothing waits for company. */
function large(chunks: number): Rig {
  const rig = new Rig();
  rig.embedder.limits = { textsPerCall: 64, tokensPerCall: 1_000_000, concurrentCalls: 4 };
  const dimensions = { native: 64, min: 2, matryoshka: true };
  rig.embedder.model = { ...rig.embedder.model, dimensions };
  rig.sink.limits = { operationsPerWrite: 64 };
  rig.sink.discards = true;
  rig.cache = undefined;
  rig.source.put("a", Array.from({ length: chunks }, (_, line) => `c${line}`).join("\n"));
  return rig;
}

describe("a document of very many chunks", () => {
  it("spools to the disk, is written in windows, and leaves no file behind", async () => {
    const chunks = 100_000;
    const rig = large(chunks);
    const before = spoolFiles();
    let written = 0;
    let spools = 0;
    let named = 0;
    rig.sink.beforeWrite = async (operations) => {
      written += operations.length;
      spools = Math.max(spools, openSpools().length);
      named = Math.max(named, spoolFiles().length - before.length);
    };
    // Real files take real time.
    const { summary, exitCode } = await rig.run({ clock: systemClock });
    expect(exitCode).toBe(0);
    expect(summary.chunks.total).toBe(chunks);
    expect(written).toBe(chunks);
    expect(rig.sink.writing.most).toBeLessThanOrEqual(4);
    expect(spools).toBe(1);
    expect(named).toBe(0);
    expect(openSpools()).toEqual([]);
    expect(spoolFiles()).toEqual(before);
  });

  it("leaves no file behind when one of the last fails", async () => {
    const rig = large(40_000);
    const { text } = rig.source.get("a");
    rig.source.put("a", `${text}\n!malformed`);
    let spools = 0;
    const settings = rig.sources.get("docs");
    if (settings === undefined) throw new Error("There is no source.");
    const plain = lineParser();
    settings.parser = {
      ...plain,
      async *parse(document, content, signal) {
        for await (const event of plain.parse(document, content, signal)) {
          if (event.kind === "block" && event.block.text.endsWith("999")) {
            spools = Math.max(spools, openSpools().length);
          }
          yield event;
        }
      },
    };
    const { summary } = await rig.run({ clock: systemClock });
    expect(summary.failures).toMatchObject([{ code: "parse.malformed" }]);
    expect(spools).toBe(1);
    expect(openSpools()).toEqual([]);
    expect(rig.sink.records).toEqual([]);
  });
});
