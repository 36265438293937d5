import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Durability } from "../../../../connectors/sinks/lancedb/durability.ts";
import { toFault } from "../../../../connectors/sinks/lancedb/faults.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { makeRecord, specOf, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { makeSink, temporaryFolder } from "./harness.ts";

async function makeTable(): Promise<string> {
  const folder = await temporaryFolder({
    defer: (cleanup) => onTestFinished(() => void cleanup()),
  });
  await mkdir(join(folder, "data"));
  await mkdir(join(folder, "_versions"));
  await writeFile(join(folder, "data", "a.lance"), "a");
  return folder;
}
/** A file that nobody can open: a link to itself. */
function plant(folder: string, file: string): Promise<void> {
  return symlink(file, join(folder, "data", file));
}

describe("the wait for the disk", () => {
  it("opens every file that it has not synced yet, and none twice", async () => {
    const folder = await makeTable();
    const durability = new Durability(folder);
    await durability.sync();
    await rm(join(folder, "data", "a.lance"));
    await plant(folder, "a.lance");
    await durability.sync();
    await plant(folder, "b.lance");
    await expect(durability.sync()).rejects.toMatchObject({ code: "ELOOP" });
    await expect(durability.sync()).rejects.toMatchObject({ code: "ELOOP" });
    await rm(join(folder, "data", "b.lance"));
    await durability.sync();
  });

  it("passes over files that are not complete, or went away meanwhile", async () => {
    const folder = await makeTable();
    for (const file of [".tmp1", "7.manifest#1"]) await plant(folder, file);
    await new Durability(folder).sync();
    await rm(join(folder, "_versions"), { recursive: true });
    await new Durability(folder).sync();
  });

  it("looks again for a caller that comes while a pass is under way", async () => {
    const folder = await makeTable();
    const durability = new Durability(folder);
    const first = durability.sync();
    await plant(folder, "late.lance");
    const second = durability.sync();
    await first.catch(() => undefined);
    await expect(second).rejects.toMatchObject({ code: "ELOOP" });
  });

  it("comes before the acknowledgement of a write", async () => {
    const folder = await temporaryFolder({
      defer: (cleanup) => onTestFinished(() => void cleanup()),
    });
    const sink = makeSink(folder);
    const { signal } = new AbortController();
    const collection = await sink.create(specOf({}, sink), signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    await plant(join(folder, "index", "handbook.lance"), "b.lance");
    const write = collection.write([toUpsert(makeRecord(2, 8))], signal);
    await expect(write).rejects.toMatchObject({ ambiguous: true, retry: "later" });
    await sink.close();
  });
});

describe("an error of the driver", () => {
  const call = { verb: "written", address: "`t` in /tmp", folder: "/tmp" } as const;

  // As the driver 0.39 said them.
  it.each([
    [
      "lance error: LanceError(IO): No space left on device (os error 28), /usr/local/x.rs:255:9",
      "sink.full",
      "never",
    ],
    [
      "LanceError(IO): Generic LocalFileSystem error: Unable to copy data to file: File too large (os error 27)",
      "sink.full",
      "never",
    ],
    [
      "lance error: Retryable commit conflict for version 107: This Rewrite transaction was preempted by concurrent transaction Rewrite at version 107. Please retry.",
      "sink.conflict",
      "later",
    ],
    ["lance error: Too many concurrent writers. Attempted 20 times", "sink.conflict", "later"],
    ["Unable to open: Permission denied (os error 13)", "sink.unauthorized", "never"],
    ["Too many open files (os error 24)", "sink.not-ready", "later"],
    [
      "lance error: LanceError(IO): file size is too small, /usr/x.rs:58:20",
      "sink.corrupt",
      "never",
    ],
    [
      "lance error: Append with different schema: `vector` should have type fixed_size_list:float:4",
      "sink.rejected",
      "smaller",
    ],
    ["something never seen", "sink.unreachable", "later"],
  ])("saying %j is %s, to be tried %s", (message, code, retry) => {
    const fault = toFault(new Error(message), call);
    expect(fault).toMatchObject({ code, retry, ambiguous: code !== "sink.rejected" });
    expect((fault as Fault).message).not.toMatch(/\.rs:/);
    expect((fault as Fault).cause).toBeInstanceOf(Error);
  });

  it("means that the collection is gone when its folder is", () => {
    const gone = { ...call, folder: "/nowhere/at/all" };
    expect(toFault(new Error("Not found: x/_versions"), gone)).toMatchObject({
      code: "sink.missing",
    });
  });

  it("passes aborts, faults and failed assertions as they are", () => {
    const abort = new DOMException("stop", "AbortError");
    const fault = new Fault("sink.full", "x");
    const reason = "any reason of an abort";
    for (const error of [abort, fault, reason]) expect(toFault(error, call)).toBe(error);
  });
});
