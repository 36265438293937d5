import { describe, expect, it } from "vitest";
import { adopt } from "../../../src/engine/adopt.ts";
import { forget } from "../../../src/engine/forget.ts";
import {
  acceptFailures,
  listFailures,
  retryFailures,
  status,
} from "../../../src/engine/inspect.ts";
import type { Pipeline } from "../../../src/engine/pipeline.ts";
import { query } from "../../../src/engine/query.ts";
import { run } from "../../../src/engine/run.ts";
import { verify } from "../../../src/engine/verify.ts";
import { Rig } from "./rig/rig.ts";
import { StateFile } from "./rig/state-file.ts";

const ours = import.meta.filename;
const theirs = new URL("targets.test.ts", import.meta.url).pathname;

/** A pipeline that ran from one file, with a document that failed; and what a second file of its name makes of it. */
async function two(): Promise<{ readonly rig: Rig; readonly second: Pipeline }> {
  const rig = new Rig();
  rig.file = ours;
  rig.source.put("a", "one");
  rig.source.put("b", "two");
  rig.source.put("broken", "!malformed");
  expect((await rig.run()).exitCode).toBe(3);
  rig.file = theirs;
  const { pipeline: second } = rig;
  rig.file = ours;
  return { rig, second };
}

describe("of two files with one name and one state, the second", () => {
  const writing: readonly (readonly [string, (second: Pipeline) => Promise<unknown>])[] = [
    ["forget a sink", (second) => forget(second, { sink: "main" })],
    [
      "forget a sink with its records",
      (second) => forget(second, { sink: "main", deleteRecords: true }),
    ],
    [
      "forget a source with its records",
      (second) => forget(second, { source: "docs", deleteRecords: true }),
    ],
    ["adopt a sink", (second) => adopt(second, { sink: "main" })],
    ["repair", (second) => verify(second, { repair: true })],
    ["retry failures", (second) => retryFailures(second)],
    ["accept failures", (second) => acceptFailures(second)],
  ];

  it.each(writing)("cannot %s", async (_, command) => {
    const { rig, second } = await two();
    const before = JSON.stringify(rig.sink.records);
    await expect(command(second)).rejects.toMatchObject({
      code: "refused.pipeline",
      message: expect.stringContaining(ours),
    });
    expect(JSON.stringify(rig.sink.records)).toBe(before);
    const [failure] = await listFailures(rig.pipeline);
    expect(failure).toMatchObject({ document: "docs:broken", accepted: false });
    rig.forgetCounts();
    expect((await rig.run()).summary.documents).toMatchObject({ unchanged: 2, failed: 1 });
    expect(rig.source.opens).toEqual([]);
  });

  it("cannot run, and leaves no trace in the history of the first", async () => {
    const { rig, second } = await two();
    const { summary, exitCode } = await run(second, { clock: rig.clock });
    expect([exitCode, summary.status, summary.error?.code]).toEqual([
      4,
      "refused",
      "refused.pipeline",
    ]);
    expect((await status(rig.pipeline)).runs).toHaveLength(1);
  });

  it("may look and ask", async () => {
    const { second } = await two();
    expect((await status(second)).documents.total).toBe(3);
    expect((await verify(second)).exitCode).toBe(0);
    expect((await query(second, { text: "one", k: 1 })).hits).toHaveLength(1);
  });

  it("does not give the state its own new name by being refused", async () => {
    const rig = new Rig();
    const file = new StateFile(rig);
    rig.file = ours;
    rig.source.put("a", "one");
    expect((await rig.run()).exitCode).toBe(0);
    rig.file = theirs;
    rig.name = "renamed";
    rig.previously = "rig";
    await expect(forget(rig.pipeline, { sink: "main" })).rejects.toMatchObject({
      code: "refused.pipeline",
    });
    rig.file = ours;
    rig.name = "rig";
    rig.previously = undefined;
    expect((await rig.run()).exitCode).toBe(0);
    await file.lose();
  });
});
