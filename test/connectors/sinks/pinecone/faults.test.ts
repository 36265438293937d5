import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { FaultLike, Sink } from "../../../../src/contracts/index.ts";
import type { PineconeBehaviour } from "../../../../src/testkit/index.ts";
import {
  makeRecord,
  makeRecords,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { apiKey } from "./harness.ts";
import { created, emulate, rejection, serve, signal, sinkAt } from "./places.ts";

type Expected = Partial<Pick<FaultLike, "code" | "retry" | "ambiguous" | "retryAfterMs">> & {
  readonly says?: string;
};

function rpcStatus(message: string): string {
  return JSON.stringify({ code: 3, message, details: [] });
}

async function writeFault(behaviour: PineconeBehaviour, config = {}): Promise<FaultLike> {
  const { emulator, collection } = await created(config);
  emulator.behave(({ operation }) => (operation === "upsert" ? behaviour : undefined));
  const write = collection.write([toUpsert(makeRecord(1, 8))], signal);
  return (await rejection(write)) as FaultLike;
}

function check(fault: Error, { says, ...expected }: Expected): void {
  expect(fault).toMatchObject(expected);
  if (says !== undefined) expect(fault.message).toContain(says);
  expect(fault.message).toMatch(/^The collection `handbook`.* cannot be \w+: .*\.$/);
  expect(fault.message).not.toContain(apiKey);
}

function status(number: number, message = "", retryAfter?: string): PineconeBehaviour {
  return {
    kind: "status",
    status: number,
    ...(message === "" ? {} : { body: rpcStatus(message) }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

describe("a write that the service refuses", () => {
  it.each<[string, PineconeBehaviour, Expected]>([
    [
      "a bad record",
      status(400, "Metadata value must be a string, got '{secret text' for field 'x'"),
      { code: "sink.rejected", retry: "smaller", ambiguous: false, says: "got)" },
    ],
    [
      "a bad record whose text sounds like something else",
      status(
        400,
        "Value must be a string, got 'the documents API', \"request exceeds the maximum supported size\"",
      ),
      { code: "sink.rejected", retry: "smaller", ambiguous: false },
    ],
    [
      "an index that is quoted, and not ready",
      status(503, `Index "handbook" is not ready, so "you've" to wait`),
      { code: "sink.not-ready", retry: "later", ambiguous: false },
    ],
    [
      "an index that was made anew",
      status(400, "Vector dimension 8 does not match the dimension of the index 4"),
      { code: "sink.missing", retry: "never", ambiguous: false, says: "takes vectors of 4" },
    ],
    [
      "an index of the documents kind",
      status(400, "Index x has a document schema. Use the documents API to write to it."),
      { code: "sink.foreign", retry: "never", ambiguous: false, says: "documents kind" },
    ],
    [
      "a request that is too large",
      status(400, "Request size 3MB exceeds the maximum supported size of 2MB"),
      { code: "sink.too-large", retry: "smaller", ambiguous: false },
    ],
    ["a body that is too large", status(413), { code: "sink.too-large", retry: "smaller" }],
    ["a wrong key", status(401), { code: "sink.unauthorized", retry: "never", says: "`api_key`" }],
    [
      "a key that may only read",
      status(403, "Forbidden"),
      { code: "sink.unauthorized", retry: "never", ambiguous: false, says: "may not do that" },
    ],
    [
      "a plan that is used up",
      status(403, "You've reached the max storage allowed on the Starter plan"),
      { code: "sink.full", retry: "never", says: "quota" },
    ],
    ["a bill that is not paid", status(402), { code: "sink.full", retry: "never" }],
    [
      "a limit of the month",
      status(429, "You've reached your write unit limit for the current month (2000000)."),
      { code: "sink.full", retry: "never", ambiguous: false, says: "You've reached your write" },
    ],
    [
      "a rate limit that says how long",
      { kind: "rate-limit", retryAfter: "7" },
      { code: "sink.rate-limited", retry: "later", ambiguous: false, retryAfterMs: 7_000 },
    ],
    [
      "a rate limit that does not say",
      { kind: "rate-limit" },
      { code: "sink.rate-limited", retry: "later", ambiguous: false },
    ],
    [
      "an index that is not ready",
      status(503, "Index handbook is not ready"),
      { code: "sink.not-ready", retry: "later", ambiguous: false },
    ],
    [
      "a service that is overloaded",
      status(503, "upstream connect error", "2"),
      { code: "sink.not-ready", retry: "later", ambiguous: true, retryAfterMs: 2_000 },
    ],
    ["an error inside", status(500), { code: "sink.unreachable", retry: "later", ambiguous: true }],
    ["a gateway without an answer", status(504), { code: "sink.timeout", ambiguous: true }],
    ["a server that gave up", status(408), { code: "sink.timeout", ambiguous: true }],
    ["what it cannot do", status(501), { code: "sink.rejected", retry: "never" }],
    ["somebody else's change", status(409), { code: "sink.conflict", retry: "later" }],
    ["somebody else's condition", status(412), { code: "sink.conflict", retry: "later" }],
    ["a status of nobody", status(418), { code: "sink.unreachable", retry: "never" }],
    [
      "a redirect",
      status(307),
      { code: "sink.unreachable", retry: "never", says: "redirects elsewhere" },
    ],
  ])("for %s becomes a fault that says what to do", async (_, behaviour, expected) => {
    check(await writeFault(behaviour), expected);
  });

  it("shows nothing of the texts that the service quotes, and never the key", async () => {
    const said = `Metadata value is wrong, got "secret text"; the key was ${apiKey}`;
    const fault = await writeFault(status(400, said));
    expect(`${fault.message} ${JSON.stringify(fault)}`).not.toMatch(/secret text|pcsk/);
    const denied = await writeFault(status(403, `The key ${apiKey} may not write`));
    expect(denied.message).toContain("The key … may not write");
  });
});

describe("a write whose answer does not come", () => {
  it.each<[string, PineconeBehaviour, Expected]>([
    ["is reset", { kind: "reset" }, { code: "sink.unreachable" }],
    ["is cut off", { kind: "cut-off" }, { code: "sink.unreachable" }],
    ["is lost", { kind: "lost-answer" }, { code: "sink.unreachable" }],
    ["is lost behind a gateway", { kind: "lost-answer", silence: 502 }, {}],
    ["lands late", { kind: "late", ms: 5, silence: 504 }, { code: "sink.timeout" }],
    ["hangs", { kind: "hang" }, { code: "sink.timeout", says: "within 120 ms" }],
    [
      "is a page of something else",
      { kind: "status", status: 200, body: "<html>", type: "text/html" },
      { code: "sink.unreachable", says: "not Pinecone's" },
    ],
    [
      "tells of fewer records",
      { kind: "status", status: 200, body: '{"upsertedCount":0}' },
      { says: "took 0 of 1" },
    ],
  ])("because it %s is ambiguous", async (_, behaviour, expected) => {
    check(await writeFault(behaviour, { timeout_ms: 120 }), { ambiguous: true, ...expected });
  });

  it("gets the time it is allowed, and no more", async () => {
    const { emulator, collection } = await created({ timeout_ms: 400 });
    emulator.behave({ kind: "slow", ms: 60 });
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    emulator.behave({ kind: "slow", ms: 900 });
    const before = performance.now();
    const fault = await rejection(collection.write([toUpsert(makeRecord(1, 8))], signal));
    expect(performance.now() - before).toBeLessThan(800);
    expect(fault).toMatchObject({ code: "sink.timeout", retry: "later", ambiguous: true });
  });

  it("ends at once when the run is stopped, or the sink is closed", async () => {
    const { emulator, sink, collection } = await created();
    emulator.behave({ kind: "hang" });
    const stop = new AbortController();
    const write = collection.write([toUpsert(makeRecord(1, 8))], stop.signal);
    const reason = new Error("stopped by hand");
    setTimeout(() => stop.abort(reason), 20);
    expect(await rejection(write)).toBe(reason);
    const other = collection.write([toUpsert(makeRecord(1, 8))], signal);
    setTimeout(() => void sink.close(), 20);
    expect(await rejection(other)).toMatchObject({ code: "aborted" });
    const after = collection.read(["x"], { vectors: false }, signal);
    expect(await rejection(after)).toMatchObject({ code: "aborted" });
  });

  it("has a horizon that outlasts its time", async () => {
    const { collection } = await created({ timeout_ms: 1_000 });
    expect(collection.limits.writeHorizonMs).toBe(2_000);
  });
});

describe("a write of which a part fails", () => {
  it("reports the deletes by id when the upserts before them took effect", async () => {
    const { emulator, collection } = await created();
    const [old, ...fresh] = makeRecords(3, 8);
    await collection.write([toUpsert(old!)], signal);
    emulator.behave(({ operation }) =>
      operation === "delete" ? { kind: "rate-limit", retryAfter: "1" } : undefined,
    );
    const { failed } = await collection.write([toDelete(old!), ...fresh.map(toUpsert)], signal);
    expect([...failed.keys()]).toEqual([old!.id]);
    expect(failed.get(old!.id)).toMatchObject({ code: "sink.rate-limited", retryAfterMs: 1_000 });
    expect(emulator.records("handbook").size).toBe(3);
    const alone = collection.write([toDelete(old!)], signal);
    expect(await rejection(alone)).toMatchObject({ code: "sink.rate-limited", ambiguous: false });
  });
});

function controlledAt(url: string): Sink {
  return sinkAt({ url });
}

describe("an address where Pinecone is not", () => {
  it("refuses connections", async () => {
    const emulator = await emulate();
    await emulator.close();
    const fault = await rejection(sinkAt(emulator).describe(signal));
    check(fault, { code: "sink.unreachable", retry: "later", says: "connection refused" });
  });

  it("has no name", async () => {
    const fault = await rejection(controlledAt("http://nowhere.invalid").check(signal));
    check(fault, { code: "sink.unreachable", says: "http://nowhere.invalid cannot be reached" });
  });

  it.each([
    ["a page of its own", 404, "<h1>Not Found</h1>", "text/html"],
    ["the refusal of a port of TLS", 400, "The plain HTTP request was sent", "text/html"],
    ["a page with status 200", 200, "<h1>Welcome</h1>", "text/html"],
    ["JSON that says nothing", 200, "{}", "application/json"],
    ["nothing", 200, "null", "application/json"],
    ["another index", 200, '{"status":{"ready":true},"schema":{"fields":{}}}', "application/json"],
    ["JSON of its own", 404, '{"detail":"nothing here"}', "application/json"],
  ])("answers with %s", async (_, code, body, type) => {
    const url = await serve((_request, response) => {
      response.writeHead(code, { "content-type": type });
      response.end(body);
    });
    const fault = await rejection(controlledAt(url).describe(signal));
    check(fault, { code: "sink.unreachable", retry: "never", says: "`control_url`" });
  });

  it.each(["null", "[]", '"a"', '{"vectors":7}', '{"vectors":{"a":null}}', '{"matches":[null]}'])(
    "answers reads with %s, and no call ends otherwise than with a fault",
    async (body) => {
      const { emulator, sink, collection } = await created();
      emulator.behave({ kind: "status", status: 200, body });
      const vector = makeRecord(1, 8).vector;
      const calls = await Promise.allSettled([
        sink.describe(signal),
        collection.read(["a"], { vectors: true }, signal),
        collection.count([{ field: "year", operator: "=", value: 1 }], signal),
        collection.count(undefined, signal),
        collection.search({ vector, k: 1 }, signal),
        collection.scan({ pipeline: "law" }, signal)[Symbol.asyncIterator]().next(),
        collection.write([toUpsert(makeRecord(1, 8)), toDelete({ id: "a" })], signal),
      ]);
      for (const call of calls) {
        if (call.status === "rejected") expect(call.reason).toMatchObject({ name: "Fault" });
      }
      expect(calls.at(-1)).toMatchObject({ reason: { ambiguous: true } });
    },
  );

  it("redirects elsewhere, and is not followed with the key", async () => {
    let followed = 0;
    const target = await serve((_request, response) => {
      followed += 1;
      response.end("{}");
    });
    const url = await serve((_request, response) => {
      response.writeHead(308, { location: target });
      response.end();
    });
    const fault = await rejection(controlledAt(url).describe(signal));
    check(fault, { code: "sink.unreachable", retry: "never", says: "redirects elsewhere (308)" });
    expect(followed).toBe(0);
  });

  it("speaks no TLS where https is configured", async () => {
    const url = await serve((_request, response) => response.end("{}"));
    const fault = await rejection(controlledAt(url.replace("http:", "https:")).describe(signal));
    check(fault, { code: "sink.unreachable", retry: "never", says: "Is it an address of http?" });
  });

  it("speaks something else than HTTP where http is configured", async () => {
    // As a server with TLS does: an alert, then the end.
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(Buffer.from([0x15, 0x03, 0x01, 0, 2, 2, 0x16])));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fault = await rejection(controlledAt(url).describe(signal));
    check(fault, { code: "sink.unreachable", retry: "never", says: "Is it an address of https?" });
  });
});

describe("an index that goes during the run", () => {
  it("is told to be gone, as far as the control plane can tell", async () => {
    const { emulator, sink, collection } = await created();
    const { rawClient } = await import("./harness.ts");
    const raw = rawClient(emulator);
    await raw.indexes.delete("handbook");
    const write = () => rejection(collection.write([toUpsert(makeRecord(1, 8))], signal));
    expect(await write()).toMatchObject({
      code: "sink.missing",
      message: expect.stringContaining("was deleted since it was opened"),
    });
    const spec = { dimension: 8, metric: "cosine", fields: {} } as const;
    await sink.create(spec, signal);
    expect(await write()).toMatchObject({
      code: "sink.missing",
      message: expect.stringContaining("was deleted and made anew"),
    });
    await emulator.close();
    // Nothing was sent.
    const refused = { code: "sink.unreachable", retry: "later", ambiguous: false };
    expect(await write()).toMatchObject(refused);
  });

  it("leaves nothing unhandled when everything breaks at once", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    onTestFinished(() => void process.off("unhandledRejection", listen));
    const { emulator, sink, collection } = await created({ timeout_ms: 50 });
    emulator.behave(({ number }) => ({ kind: number % 2 === 0 ? "hang" : "reset" }));
    const calls = [
      ...makeRecords(8, 8).map((record) => collection.write([toUpsert(record)], signal)),
      collection.count(undefined, signal),
      collection.read(["a"], { vectors: true }, signal),
      sink.describe(signal),
    ];
    await sink.close();
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.every(({ status: how }) => how === "rejected")).toBe(true);
    await emulator.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});
