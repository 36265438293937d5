import { describe, expect, it } from "vitest";
import type { FaultLike } from "../../../../src/contracts/index.ts";
import { makeRecord, toDelete, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { faultOf, openFake, quick, write } from "./failing.ts";
import { type Behaviour, refusal } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { described, modernMilvus } from "./modern.ts";

describe("a write that fails", () => {
  it.each<[string, Behaviour, Partial<FaultLike>, string]>([
    [
      "for lack of a login",
      { grpc: 16, text: "auth check failure, please check username and password are correct" },
      { code: "sink.unauthorized", retry: "never", ambiguous: false },
      "Check `token`, or `username` and `password`.",
    ],
    [
      "for lack of a privilege",
      { grpc: 7, text: "PrivilegeUpsert: permission deny to reader" },
      { code: "sink.unauthorized", retry: "never", ambiguous: false },
      "PrivilegeUpsert",
    ],
    [
      "for its rate",
      refusal(8, "request is rejected by grpc RateLimiter middleware, please retry later"),
      { code: "sink.rate-limited", retry: "later", ambiguous: false, scope: "component" },
      "asks to slow down",
    ],
    [
      "because writing is stopped",
      refusal(9, "quota exceeded[reason=the writing has been deactivated by the administrator]"),
      { code: "sink.full", retry: "never", ambiguous: false, scope: "component" },
      "deactivated by the administrator",
    ],
    [
      "for the server's memory",
      refusal(3, "memory limit exceeded"),
      { code: "sink.full", ambiguous: false },
      "memory",
    ],
    [
      "for its size",
      { grpc: 8, text: "grpc: received message larger than max (69773948 vs. 67108864)" },
      { code: "sink.too-large", retry: "smaller", ambiguous: false, scope: "document" },
      "larger than the server takes",
    ],
    [
      "for its size, as newer servers say",
      refusal(1102, "parameter too large"),
      { code: "sink.too-large", retry: "smaller" },
      "larger than the server takes",
    ],
    [
      "for a value",
      refusal(1100, "the length (70000) of field text exceeds max length (65535)"),
      { code: "sink.rejected", retry: "smaller", ambiguous: false, scope: "document" },
      "the server refuses the request",
    ],
    [
      "for a dimension that was changed meanwhile",
      refusal(65535, "the length(10) of float data should divide the dim(768)"),
      { code: "sink.rejected", retry: "smaller" },
      "should divide the dim(768)",
    ],
    [
      "because the collection is gone",
      refusal(100, "collection not found[collection=handbook]"),
      { code: "sink.missing", retry: "never", ambiguous: false },
      "does not exist any more",
    ],
    [
      "because the database is gone",
      refusal(800, "database not found[database=search]"),
      { code: "sink.missing", retry: "never" },
      "correct `database`",
    ],
    [
      "while the server starts",
      refusal(1, "service not ready[standalone=abnormal]"),
      { code: "sink.not-ready", retry: "later", ambiguous: false },
      "not ready",
    ],
    [
      "while its time is behind",
      refusal(11, "time tick long delay"),
      { code: "sink.not-ready", retry: "later", ambiguous: false },
      "short of resources",
    ],
    [
      "for a reason that nobody knows",
      refusal(65535, "something new"),
      { code: "sink.not-ready", retry: "later", ambiguous: true, scope: "component" },
      "something new",
    ],
    [
      "when the connection breaks",
      "reset",
      { code: "sink.unreachable", retry: "later", ambiguous: true },
      "the connection to the server was lost",
    ],
    [
      "when the server goes away",
      { grpc: 14, text: "Connection dropped" },
      { code: "sink.unreachable", retry: "later", ambiguous: true },
      "the connection to the server was lost",
    ],
    [
      "when a part of the server is down",
      refusal(2, "service unavailable"),
      { code: "sink.not-ready", retry: "later", ambiguous: true },
      "a part of the server is down",
    ],
  ])("%s says so, and whether it may have been done", async (_, answer, expected, words) => {
    const { collection } = await openFake({ Upsert: answer, Delete: answer });
    const upsert = await faultOf(write(collection));
    const removal = await faultOf(collection.write([toDelete({ id: "a" })], signal));
    for (const fault of [upsert, removal]) {
      expect(fault).toMatchObject(expected);
      expect(fault.message).toContain(words);
      expect(fault.message).toMatch(
        /^The collection `handbook` in database `default` of Milvus at 127/,
      );
      expect(fault.message).toContain("cannot be written:");
    }
  });

  it("because nobody answers ends after `timeout_ms` and may have been done", async () => {
    const { collection } = await openFake({ Upsert: "silence" }, quick);
    const started = performance.now();
    expect(await faultOf(write(collection))).toMatchObject({
      code: "sink.timeout",
      ambiguous: true,
      scope: "component",
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("before it was sent cannot have been done", async () => {
    const { collection, fake } = await openFake({ DescribeCollection: "silence" }, quick);
    expect(await faultOf(write(collection))).toMatchObject({
      code: "sink.timeout",
      ambiguous: false,
    });
    expect(fake.of("Upsert")).toEqual([]);
  });

  it("after its upserts took effect fails the deletes only", async () => {
    const { collection } = await openFake({ Delete: refusal(8, "rate limit exceeded") });
    const record = makeRecord(1, 4);
    const gone = { id: "00000000-0000-8000-8000-000000000001" };
    const { failed } = await collection.write([toUpsert(record), toDelete(gone)], signal);
    expect([...failed.keys()]).toEqual([gone.id]);
    expect([...failed.values()][0]).toMatchObject({ code: "sink.rate-limited" });
  });

  it("for records that the server names fails those only", async () => {
    const { collection } = await openFake({ Upsert: { err_index: [1], succ_index: [0, 2] } });
    const records = [1, 2, 3].map((number) => makeRecord(number, 4));
    const { failed } = await collection.write(records.map(toUpsert), signal);
    expect([...failed.keys()]).toEqual([records[1]!.id]);
    expect([...failed.values()][0]).toMatchObject({ code: "sink.rejected" });
  });
});

describe("a read that fails", () => {
  it.each<[string, Behaviour, Partial<FaultLike>]>([
    [
      "on a collection that was released",
      refusal(101, "collection not loaded"),
      { code: "sink.not-ready" },
    ],
    ["on one without an index", refusal(700, "index not found"), { code: "sink.foreign" }],
    [
      "for its filter",
      refusal(1100, "cannot parse expression"),
      { code: "sink.rejected", retry: "never", scope: "component" },
    ],
    ["because nobody answers", "silence", { code: "sink.timeout", ambiguous: false }],
    ["when the connection breaks", "reset", { code: "sink.unreachable", ambiguous: false }],
  ])("%s changes nothing, and says so", async (_, answer, expected) => {
    const { collection } = await openFake({ Query: answer, Search: answer }, quick);
    const vector = makeRecord(1, 4).vector;
    for (const call of [
      () => collection.count(undefined, signal),
      () => collection.read(["a"], { vectors: false }, signal),
      () => collection.search({ vector, k: 1 }, signal),
    ]) {
      expect(await faultOf(call())).toMatchObject(expected);
    }
  });
});

describe("the database", () => {
  it("that does not exist is told by name, where the server only misses the collection", async () => {
    const fake = await startFake({
      DescribeCollection: refusal(100, "collection not found[database=serach]"),
      ListDatabases: { db_names: ["default", "search"] },
    });
    const sink = makeSink(fake.address, { database: "serach" });
    const fault = await faultOf(sink.describe(signal));
    expect(fault).toMatchObject({ code: "sink.missing", retry: "never" });
    expect(fault.message).toContain("there is no such database, only `default`, `search`.");
    const other = makeSink(fake.address, { database: "search" });
    expect(await other.describe(signal)).toBeUndefined();
  });

  it("may be one that we may use but not list", async () => {
    const fake = await startFake({
      DescribeCollection: refusal(100, "collection not found"),
      ListDatabases: { grpc: 7, text: "PrivilegeListDatabases: permission deny" },
    });
    expect(await makeSink(fake.address, { database: "search" }).describe(signal)).toBeUndefined();
  });
});

describe("`check`", () => {
  it("fails on a server that takes no writes", async () => {
    const fake = await startFake({
      ...modernMilvus(),
      CheckHealth: { isHealthy: true, quota_states: ["DenyToWrite"] },
    });
    const sink = makeSink(fake.address);
    expect(await faultOf(sink.check(signal))).toMatchObject({ code: "sink.full" });
    fake.answer({ CheckHealth: { isHealthy: true, quota_states: [] } });
    await sink.check(signal);
  });
});

describe("the collection", () => {
  it.each([
    ["another one of the same name", described(undefined, { collectionID: "4712" })],
    ["one of another time", described(undefined, { created_timestamp: "2" })],
    [
      "one that sluice made anew",
      described(undefined, { properties: [{ key: "sluice.created", value: "other" }] }),
    ],
  ])("is not written when it has become %s", async (_, answer) => {
    const { collection, fake } = await openFake({ DescribeCollection: answer });
    expect(await faultOf(write(collection))).toMatchObject({ code: "sink.missing" });
    expect(fake.of("Upsert")).toEqual([]);
  });

  it("is not written when its fields have changed so that records do not fit", async () => {
    const { schema } = described() as { readonly schema: { readonly fields: readonly object[] } };
    const owner = { name: "owner", data_type: "VarChar" };
    const changed = described([...schema.fields, owner]);
    const { collection, fake } = await openFake({ DescribeCollection: changed });
    const fault = await faultOf(write(collection));
    expect(fault).toMatchObject({ code: "sink.foreign" });
    expect(fault.message).toContain(
      "was changed since it was opened: The field `owner` needs a value",
    );
    expect(fake.of("Upsert")).toEqual([]);
  });
});
