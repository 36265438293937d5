import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { makeMarker, makeRecord, toDelete } from "../../../../src/testkit/sink-harness.ts";
import type { Answer } from "./fake-server.ts";
import { BatchDeleteRequest, BatchObjectsReply, SearchReply } from "./official.ts";
import { dimension, faultOf, openFake, upserts } from "./open-fake.ts";

const signal = new AbortController().signal;

/** A reply that refuses objects by their position. */
function refusals(texts: readonly (string | undefined)[]): Answer {
  const errors = texts.flatMap((error, index) => (error === undefined ? [] : [{ index, error }]));
  return { message: BatchObjectsReply.encode(BatchObjectsReply.fromPartial({ errors })).finish() };
}

interface Advice {
  readonly code: string;
  readonly retry: string;
  readonly ambiguous?: boolean;
  readonly says: RegExp;
}

/** What the server answers to a call, and what that means for a write. Texts as the real server has them. */
const statuses: readonly (readonly [number, string, Advice])[] = [
  [
    2,
    "extract auth: unauthorized: invalid api key",
    { code: "sink.unauthorized", retry: "never", says: /refused the key. Check `api_key`/ },
  ],
  [16, "", { code: "sink.unauthorized", retry: "never", says: /refused the key/ }],
  [
    7,
    "adminlist: authorization, forbidden action: user 'viewer' has insufficient permissions to D",
    { code: "sink.unauthorized", retry: "never", says: /this key may not do that/ },
  ],
  [
    2,
    "batch delete params: could not find class Handbook in schema",
    {
      code: "sink.missing",
      retry: "never",
      says: /does not exist any more. Run again to create it/,
    },
  ],
  [
    2,
    "batch delete params: could not find class Unauthorized in schema",
    { code: "sink.missing", retry: "never", says: /does not exist any more/ },
  ],
  [
    2,
    'aggregate: tenant not found: "b"',
    { code: "sink.missing", retry: "never", says: /the tenant does not exist any more/ },
  ],
  [
    2,
    "tenant not active: 'a'",
    { code: "sink.not-ready", retry: "never", says: /the tenant is not active. Activate it/ },
  ],
  [
    2,
    "class Handbook has multi-tenancy enabled, but request was without tenant",
    { code: "sink.foreign", retry: "never", says: /`tenant`/ },
  ],
  [
    14,
    "read-only mode is enabled temporally at the config level: write operations are not allowed during this time",
    {
      code: "sink.not-ready",
      retry: "later",
      ambiguous: true,
      says: /takes no writes at the moment/,
    },
  ],
  [
    8,
    "grpc: received message larger than max (1615802 vs. 1000000)",
    { code: "sink.too-large", retry: "smaller", says: /larger than the server takes/ },
  ],
  [
    8,
    "objects count limit of 2 reached for this instance.",
    { code: "sink.full", retry: "never", says: /a limit of the server is reached/ },
  ],
  [8, "", { code: "sink.rate-limited", retry: "later", says: /asks to slow down/ }],
  [
    4,
    "context deadline exceeded",
    { code: "sink.timeout", retry: "later", ambiguous: true, says: /did not do it in time/ },
  ],
  [
    2,
    'cannot achieve consistency level "QUORUM": broadcast: cannot reach enough replicas',
    { code: "sink.not-ready", retry: "later", ambiguous: true, says: /not ready for that/ },
  ],
  [
    2,
    "leader not found",
    { code: "sink.not-ready", retry: "later", ambiguous: true, says: /not ready for that/ },
  ],
  [14, "", { code: "sink.not-ready", retry: "later", ambiguous: true, says: /is not ready/ }],
  [12, "unknown service", { code: "sink.foreign", retry: "never", says: /Check `grpc_url`/ }],
  [
    13,
    "runtime error: index out of range",
    { code: "sink.unreachable", retry: "later", ambiguous: true, says: /failed inside. Its log/ },
  ],
];

describe("a write that the server answers with a status", () => {
  for (const [status, text, { code, retry, ambiguous = false, says }] of statuses) {
    it(`of ${status} \`${text}\` is ${code}, to be tried ${retry}${ambiguous ? ", unknown" : ""}`, async () => {
      const { collection } = await openFake({
        grpc: (method) => (method === "BatchObjects" ? { status, text } : undefined),
      });
      const fault = await faultOf(collection.write(upserts(2), signal));
      expect([fault.code, fault.retry, fault.ambiguous]).toEqual([code, retry, ambiguous]);
      expect(fault.message).toMatch(says);
      expect(fault.message).toContain("The collection `Handbook` at http://127.0.0.1:");
    });
  }

  it("waits as long as the server asks", async () => {
    const { collection } = await openFake({
      grpc: (method) =>
        method === "BatchObjects"
          ? { status: 8, text: "", headers: { "retry-after": "7" } }
          : undefined,
    });
    const fault = await faultOf(collection.write(upserts(1), signal));
    expect(fault).toMatchObject({ code: "sink.rate-limited", retryAfterMs: 7_000 });
  });

  it("is never unknown when it was a read", async () => {
    const { collection } = await openFake({ grpc: () => ({ status: 14, text: "" }) });
    const fault = await faultOf(collection.count(undefined, signal));
    expect(fault).toMatchObject({ code: "sink.not-ready", ambiguous: false });
  });
});

/** What the server says of one object, and what that means for all of them. */
const objectErrors: readonly (readonly [string, string, string])[] = [
  ["class 'Handbook' not present in schema", "sink.missing", "never"],
  ['tenant not found: "b"', "sink.missing", "never"],
  ["store is read-only due to: manually set by user", "sink.not-ready", "never"],
  ["store is read-only due to: UpdateVectorIndexConfigs: [default]", "sink.not-ready", "later"],
  ["store is read-only due to: disk usage too high. Set to read-only at 91%", "sink.full", "never"],
  [
    "Validate vector index default for target vector x: new node has a vector with length 5. Existing nodes have " +
      "vectors with length 8: vector dimensions do not match the index dimensions",
    "sink.dimension",
    "never",
  ],
  ["inconsistent vector lengths: 9 != 8", "sink.dimension", "never"],
  ["insert called with a vector of the wrong size: 3. Saved length: 8", "sink.dimension", "never"],
  [
    "addBatch called with vectors of different lengths: got 3, expected 8",
    "sink.dimension",
    "never",
  ],
  [
    "adminlist: authorization, forbidden action: user 'viewer' has insufficient permissions to U",
    "sink.unauthorized",
    "never",
  ],
  ["cannot process batch: not enough memory", "sink.not-ready", "later"],
  ["something new", "sink.rejected", "smaller"],
];

/** What lies in an object alone. */
const ownErrors = [
  "no such prop with name 'unauthorized' found in class 'ReadOnly' in the schema",
  "invalid date property 'at' on class 'X': requires a date, but the given value is 'shutdown, forbidden'",
  "invalid integer property 'year' on class 'Handbook': requires an integer",
  "no such prop with name 'zzz' found in class 'Handbook' in the schema",
  "collection Handbook does not have configuration for vector other",
];

describe("a write of which the server does not take every object", () => {
  for (const [text, code, retry] of objectErrors) {
    it(`is rejected as a whole with ${code} for \`${text.slice(0, 60)}\``, async () => {
      const { collection, server } = await openFake({
        grpc: (method) =>
          method === "BatchObjects" ? refusals([undefined, text, undefined]) : undefined,
      });
      const operations = [...upserts(3), toDelete(makeRecord(9, dimension))];
      const fault = await faultOf(collection.write(operations, signal));
      expect(fault).toMatchObject({ code, retry, ambiguous: false });
      expect(fault.message).toContain("document `docs:page-1.md`");
      expect(server.calls.map(({ method }) => method)).not.toContain("BatchDelete");
    });
  }

  for (const text of [...ownErrors, "something new"]) {
    it(`tells by id of the one record that has \`${text}\``, async () => {
      const count = text === "something new" ? 1 : 3;
      const texts = Array.from({ length: count }, (_, index) =>
        index === count - 1 ? text : undefined,
      );
      const { collection } = await openFake({
        grpc: (method) => (method === "BatchObjects" ? refusals(texts) : undefined),
      });
      const operations = upserts(count);
      const { failed } = await collection.write(operations, signal);
      const last = operations.at(-1);
      const id = last?.kind === "upsert" ? last.record.id : "";
      expect([...failed.keys()]).toEqual([id]);
      expect(failed.get(id)).toMatchObject({
        code: "sink.rejected",
        retry: "never",
        scope: "document",
        ambiguous: false,
      });
    });
  }

  it("tells nothing of a document's text that the server repeats", async () => {
    const text =
      "invalid date property 'at' on class 'X': requires a date, but the given value is 'hush hush'";
    const { collection } = await openFake({
      grpc: (method) => (method === "BatchObjects" ? refusals([text]) : undefined),
    });
    const { failed } = await collection.write(upserts(1), signal);
    expect(inspect([...failed.values()], { depth: 8 })).not.toContain("hush hush");
  });

  it("keeps what was upserted when the deletion after it fails", async () => {
    const { collection } = await openFake({
      grpc: (method) => (method === "BatchDelete" ? { status: 8, text: "" } : undefined),
    });
    const gone = toDelete(makeRecord(9, dimension));
    const { failed } = await collection.write([...upserts(2), gone], signal);
    expect([...failed].map(([id, { code }]) => [id, code])).toEqual([
      [gone.kind === "delete" ? gone.id : "", "sink.rate-limited"],
    ]);
    const fault = await faultOf(collection.write([gone], signal));
    expect(fault.code).toBe("sink.rate-limited");
  });
});

describe("a write into a collection that was made anew", () => {
  it("while it was written rejects, and takes back what went there", async () => {
    const marker = makeMarker(dimension);
    let { incarnation } = marker;
    let marked = false;
    const { collection, server } = await openFake({
      grpc(method) {
        if (method === "BatchObjects" && marked) incarnation = "another";
        return method === "Search" ? { message: sharedMarker(incarnation) } : undefined;
      },
    });
    await collection.setMarker(marker, signal);
    marked = true;
    const operations = upserts(2);
    const fault = await faultOf(collection.write(operations, signal));
    expect(fault).toMatchObject({ code: "sink.missing", retry: "never", ambiguous: false });
    const deletion = server.calls.findLast(({ method }) => method === "BatchDelete");
    const { filters } = BatchDeleteRequest.decode(deletion?.message ?? new Uint8Array());
    const ids = operations.map((entry) => (entry.kind === "upsert" ? entry.record.id : ""));
    expect(filters?.valueTextArray?.values).toEqual(ids);
  });

  it("before it was written sends nothing", async () => {
    const { collection, server } = await openFake({
      grpc: (method) => (method === "Search" ? { message: sharedMarker("another") } : undefined),
    });
    await collection.setMarker(makeMarker(dimension), signal);
    const before = server.calls.length;
    const fault = await faultOf(collection.write(upserts(2), signal));
    expect(fault).toMatchObject({ code: "sink.missing" });
    expect(server.calls.slice(before).map(({ method }) => method)).toEqual(["Search"]);
  });
});

/** An answer that holds the object which names the incarnation. */
function sharedMarker(incarnation: string): Uint8Array {
  const fields = { sluice: { textValue: JSON.stringify({ incarnation }) } };
  const metadata = { id: "736c7569-6365-8000-8000-000000000000" };
  const results = [{ properties: { nonRefProps: { fields } }, metadata }];
  return SearchReply.encode(SearchReply.fromPartial({ results })).finish();
}
