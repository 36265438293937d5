import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { FailureRow, Mutation } from "../../../src/contracts/index.ts";
import {
  acceptFailures,
  listFailures,
  retryFailures,
  status,
} from "../../../src/engine/inspect.ts";
import { defaultPolicy, type Pipeline } from "../../../src/engine/index.ts";
import { sqliteStateStore } from "../../../src/state/index.ts";
import { createFakeEmbedder } from "../../../src/testkit/index.ts";

const folders: string[] = [];
const signal = new AbortController().signal;

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A pipeline that nothing but its state matters of. */
async function make(mutations?: readonly Mutation[]): Promise<Pipeline> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-inspect-"));
  folders.push(folder);
  const state = sqliteStateStore({ path: join(folder, "state.sqlite") });
  if (mutations !== undefined) {
    const session = await state.open({ pipeline: "handbook", mode: "write" }, signal);
    await session.commit(mutations);
    await session.close();
  }
  const nothing = { sources: new Map(), sinks: new Map(), fields: {}, cache: undefined };
  return {
    name: "handbook",
    ...nothing,
    embedder: createFakeEmbedder(),
    state,
    policy: defaultPolicy,
  };
}

const failure: FailureRow = {
  stage: "parse",
  code: "parse.malformed",
  message: "broken",
  retry: "never",
  scope: "document",
  revision: "r",
  recipe: "c",
  attempts: 2,
  since: 1,
  firstAt: 0,
  lastAt: 1000,
  accepted: false,
};

function failed(id: string): Mutation {
  return {
    kind: "document",
    key: { source: "docs", id },
    set: { failure, revision: "r", content: "c" },
  };
}

it("tells that there is no state yet, and makes none by asking", async () => {
  const pipeline = await make();
  expect(await status(pipeline)).toMatchObject({
    exists: false,
    documents: { total: 0 },
    runs: [],
  });
  expect(await listFailures(pipeline)).toEqual([]);
  expect(await retryFailures(pipeline)).toEqual({ documents: 0 });
  expect(await acceptFailures(pipeline)).toEqual({ documents: 0 });
  expect(await status(pipeline)).toMatchObject({ exists: false });
});

it("lists failures of documents whose ids have colons, in order", async () => {
  const pipeline = await make([failed("b"), failed("a:1")]);
  const failures = await listFailures(pipeline);
  expect(failures.map(({ document }) => document)).toEqual(["docs:a:1", "docs:b"]);
  expect(failures[0]).toMatchObject({ attempts: 2, last_at: "1970-01-01T00:00:01.000Z" });
});

it("accepts and retries named documents only, or all of them", async () => {
  const pipeline = await make([failed("a:1"), failed("b")]);
  expect(await acceptFailures(pipeline, ["docs:a:1"])).toEqual({ documents: 1 });
  const accepted = (await listFailures(pipeline)).map((one) => one.accepted);
  expect(accepted).toEqual([true, false]);
  expect(await retryFailures(pipeline, ["docs:b"])).toEqual({ documents: 1 });
  expect((await listFailures(pipeline)).map(({ document }) => document)).toEqual(["docs:a:1"]);
  expect(await retryFailures(pipeline)).toEqual({ documents: 1 });
  expect((await status(pipeline)).documents).toMatchObject({ total: 2, failed: 0, owed: 2 });
});

it("forgets with the failure what would keep the next run from trying again", async () => {
  const pipeline = await make([failed("a")]);
  await retryFailures(pipeline);
  const session = await pipeline.state.open({ pipeline: "handbook", mode: "read" }, signal);
  const [row] = (await session?.lookup([{ source: "docs", id: "a" }])) ?? [];
  expect(row).toMatchObject({ failure: undefined, revision: undefined, owed: true });
  await session?.close();
});

it("refuses names that have not failed, and changes nothing then", async () => {
  const pipeline = await make([failed("a")]);
  for (const names of [["docs:a", "docs:b"], ["docs"], [":a"]]) {
    await expect(acceptFailures(pipeline, names)).rejects.toMatchObject({ code: "config.invalid" });
  }
  await expect(retryFailures(await make(), ["docs:a"])).rejects.toThrow("has not failed");
  expect((await listFailures(pipeline))[0]?.accepted).toBe(false);
});

function key(id: string): { readonly source: string; readonly id: string } {
  return { source: "docs", id };
}

it("tells what a run that died had listed and not come to as still to be written", async () => {
  const ids = ["1", "2", "3", "4", "5"];
  const pipeline = await make([
    ...ids.map((id) => ({ kind: "document", key: key(id), set: { seen: 1 } }) as const),
    { kind: "begin", key: key("2"), target: "t", ids: [] },
    { kind: "settle", key: key("1"), target: "t", version: "v", ids: [] },
    failed("5"),
    { kind: "document", key: key("gone"), set: { gone: true } },
  ]);
  const { documents } = await status(pipeline);
  expect(documents).toMatchObject({ total: 6, indexed: 2, owed: 3, failed: 1, withheld: 0 });
});

it("tells sources, sinks and runs, and which the file no longer has", async () => {
  const pipeline = await make([
    {
      kind: "source",
      row: {
        name: "docs",
        identity: "x",
        cursor: undefined,
        generation: 1,
        swept: true,
        completeAt: 1000,
      },
    },
    {
      kind: "target",
      info: {
        target: "t",
        sink: "search",
        address: "somewhere",
        dimension: 8,
        space: "s",
        markerSeq: 1,
        attemptedSeq: 1,
      },
    },
    failed("a"),
    {
      kind: "run",
      row: { id: "r", startedAt: 5, endedAt: undefined, status: "running", summary: undefined },
    },
  ]);
  const now = { now: () => 3000, monotonic: () => 0, sleep: () => Promise.resolve() };
  expect(await status(pipeline, { clock: now })).toMatchObject({
    exists: true,
    sources: [{ source: "docs", documents: 1, failed: 1, complete_age_ms: 2000, removed: true }],
    sinks: [{ sink: "search", dimension: 8, documents: 0, removed: true }],
    runs: [{ run: "r", status: "died" }],
  });
});
