import { describe, expect, it } from "vitest";
import type { FaultLike } from "../../../../src/contracts/index.ts";
import {
  makeRecord,
  makeRecords,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { faultOf, openFake, write } from "./failing.ts";
import { refusal } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { modernMilvus } from "./modern.ts";

type Advice = Pick<FaultLike, "code" | "retry" | "scope" | "ambiguous">;

const later = { retry: "later", scope: "component", ambiguous: false } as const;
const never = { retry: "never", scope: "component", ambiguous: false } as const;
const smaller = { retry: "smaller", scope: "document", ambiguous: false } as const;

/** Codes of Milvus 2.5 and later, with the texts of its source. */
const codes: readonly (readonly [number, string, Advice])[] = [
  [1, "service not ready[standalone=Initializing]", { code: "sink.not-ready", ...later }],
  [2, "service unavailable", { code: "sink.not-ready", ...later, ambiguous: true }],
  [3, "memory limit exceeded[predict=2][limit=1]", { code: "sink.full", ...never }],
  [4, "too many concurrent requests, queue is full", { code: "sink.rate-limited", ...later }],
  [7, "disk limit exceeded", { code: "sink.full", ...never }],
  [8, "rate limit exceeded[rate=0.1]", { code: "sink.rate-limited", ...later }],
  [9, "quota exceeded[reason=disk quota exceeded]", { code: "sink.full", ...never }],
  [11, "time tick long delay", { code: "sink.not-ready", ...later }],
  [12, "service resource insufficient", { code: "sink.not-ready", ...later }],
  [100, "collection not found[collection=handbook]", { code: "sink.missing", ...never }],
  [101, "collection not loaded[collection=7]", { code: "sink.not-ready", ...later }],
  [103, "collection not fully loaded", { code: "sink.not-ready", ...later }],
  [106, "collection on recovering", { code: "sink.not-ready", ...later }],
  [109, "collection schema mismatch", { code: "sink.rejected", ...smaller }],
  [202, "partition not fully loaded", { code: "sink.not-ready", ...later }],
  [800, "database not found[database=search]", { code: "sink.missing", ...never }],
  [1002, "IO failed[key=log]", { code: "sink.not-ready", ...later, ambiguous: true }],
  [
    1100,
    "duplicate primary keys are not allowed in the same batch",
    { code: "sink.rejected", ...smaller },
  ],
  [
    1100,
    "the length (70000) of dynamic field exceeds max length (65536)",
    { code: "sink.rejected", ...smaller },
  ],
  [
    1100,
    "the dim (3) of field data(vector) is not equal to schema dim (4)",
    { code: "sink.rejected", ...smaller },
  ],
  [1101, "missing required parameters", { code: "sink.rejected", ...smaller }],
  [1102, "parameter too large[expected=67108864]", { code: "sink.too-large", ...smaller }],
  [1400, "insufficient privilege", { code: "sink.unauthorized", ...never }],
];

describe("a code of Milvus 2.5 or later", () => {
  it.each(codes)("of %i, `%s`, says what is to be done", async (code, reason, expected) => {
    const { collection } = await openFake({ Upsert: refusal(code, reason) });
    const fault = await faultOf(write(collection));
    const { code: name, retry, scope, ambiguous } = fault;
    expect({ code: name, retry, scope, ambiguous }).toEqual(expected);
    expect(fault.message).toContain(reason);
  });
});

describe("an answer", () => {
  it("that names an error beside the code 0, as old servers do, is no success", async () => {
    const status = { code: 0, error_code: "IllegalArgument", reason: "something old" };
    const { collection } = await openFake({ Upsert: { status }, Delete: { status } });
    const operations = [[toUpsert(makeRecord(1, 4))], [toDelete({ id: "a" })]];
    for (const some of operations) {
      const fault = await faultOf(collection.write(some, signal));
      expect(fault).toMatchObject({ code: "sink.not-ready", ambiguous: true });
      expect(fault.message).toContain("something old");
    }
  });

  it("without a status is no success, and leaves open what was written", async () => {
    const { collection } = await openFake({ Upsert: { status: null }, Query: { status: null } });
    const upsert = await faultOf(write(collection));
    expect(upsert).toMatchObject({ code: "sink.unreachable", retry: "later", ambiguous: true });
    const count = await faultOf(collection.count(undefined, signal));
    expect(count).toMatchObject({ code: "sink.unreachable", retry: "later", ambiguous: false });
  });
});

describe("a write", () => {
  it("is three calls at the most: nothing is flushed, no key is looked up", async () => {
    const { collection, fake } = await openFake();
    const before = fake.received.length;
    const records = makeRecords(20, 4);
    const operations = [...records.slice(1).map(toUpsert), ...records.slice(0, 1).map(toDelete)];
    await collection.write(operations, signal);
    await collection.optimize?.(signal);
    const methods = fake.received.slice(before).map(({ method }) => method);
    expect(methods).toEqual(["DescribeCollection", "Upsert", "Delete"]);
    expect(fake.of("Upsert")[0]?.message).toMatchObject({ partial_update: false });
  });
});

describe("a search", () => {
  it("for more records than Milvus gives is refused before it is asked", async () => {
    const { collection, fake } = await openFake();
    const { vector } = makeRecord(1, 4);
    const before = fake.received.length;
    const fault = await faultOf(collection.search({ vector, k: 16_385 }, signal));
    expect(fault).toMatchObject({ code: "config.invalid", ...never });
    expect(fault.message).toContain("16385");
    expect(fault.message).toContain("16384");
    expect(fake.received.length).toBe(before);
    await collection.search({ vector, k: 16_384 }, signal);
    expect(fake.of("Search")).toHaveLength(1);
  });
});

describe("a creation that Milvus 2.3 refuses", () => {
  it.each([
    "M out of range: [1, 2048]",
    "efConstruction out of range: [1, 2147483647]",
    "dimension must be able to be divided by `m`, dimension: 8, m: 3",
    "invalid index type: NOPE",
    "binary vector is only supported",
    "maximum shards's number should be limited to 16",
    "invalid dimension: 32769. should be in range 1 ~ 32768",
  ])("because of `%s` is not tried again, and names `create`", async (reason) => {
    for (const method of ["CreateCollection", "CreateIndex"]) {
      const fake = await startFake({
        ...modernMilvus(),
        DescribeCollection: refusal(100, "collection not found"),
        [method]: { code: 65_535, error_code: "UnexpectedError", reason },
      });
      const sink = makeSink(fake.address);
      const spec = { dimension: 4, metric: "cosine", fields: {} } as const;
      const fault = await faultOf(sink.create(spec, signal));
      expect(fault).toMatchObject({ code: "sink.rejected", ...never });
      expect(fault.message).toContain("Check `create`");
      expect(fault.message).toContain(reason);
    }
  });
});
