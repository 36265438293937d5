import { expect, it } from "vitest";
import { Progress } from "../../../src/cli/progress.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { Fault } from "../../../src/faults/index.ts";

const silent = { write: () => true, on: () => undefined };

function make(expected?: number) {
  let now = 0;
  const terminal = new Terminal({ stdout: silent, stderr: silent, environment: {} });
  const progress = new Progress(terminal, {
    now: () => now,
    ...(expected === undefined ? {} : { expected }),
  });
  progress.start();
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { progress, pass };
}

it("tells documents, rates, sinks, and the time left when it can be known", () => {
  const { progress, pass } = make(100);
  progress.observe({
    kind: "target-opened",
    sink: "search",
    address: "x",
    dimension: 8,
    created: true,
  });
  progress.observe({ kind: "documents-unchanged", source: "docs", count: 50 });
  progress.observe({ kind: "chunks-embedded", count: 40, tokens: 2000 });
  progress.observe({ kind: "records-written", sink: "search", upserted: 40, deleted: 2 });
  pass(2000);
  expect(progress.describe()).toBe(
    "50/100 documents · 40 chunks embedded · 20 chunks/s, 1,000 tokens/s · search +40 −2 · about 2.0 s left",
  );
  progress.stop();
});

it("makes up no time left on the first run, nor after the listing", () => {
  const first = make();
  first.progress.observe({ kind: "documents-unchanged", source: "docs", count: 5 });
  first.pass(1000);
  expect(first.progress.describe()).toBe("5 documents · 0 chunks embedded");
  first.progress.stop();
  const listed = make(100);
  listed.progress.observe({ kind: "documents-unchanged", source: "docs", count: 5 });
  listed.progress.observe({ kind: "listing-ended", source: "docs", listing: "complete" });
  listed.pass(1000);
  expect(listed.progress.describe()).not.toContain("left");
  listed.progress.stop();
});

it("says what it waits for, until that goes on", () => {
  const { progress } = make();
  const fault = new Fault("embed.timeout", "slow");
  progress.observe({ kind: "retrying", component: "embedder", fault, delayMs: 100 });
  expect(progress.describe()).toContain("waiting for embedder (embed.timeout)");
  progress.observe({ kind: "chunks-embedded", count: 1, tokens: 1 });
  expect(progress.describe()).not.toContain("waiting");
  progress.stop();
});
