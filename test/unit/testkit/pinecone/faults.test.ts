import { describe, expect, it } from "vitest";
import type { PineconeBehaviour } from "../../../../src/testkit/index.ts";
import { VirtualClock } from "../../engine/rig/virtual-clock.ts";
import { makeIndex, records, sender, start, startIndex } from "./support.ts";

const upsert = { vectors: records("a") };

describe("a scripted fault", () => {
  it("limits the rate, in the service's words, with and without the time to wait", async () => {
    const { send, emulator } = await startIndex();
    emulator.behave([{ kind: "rate-limit", retryAfter: "3" }, { kind: "rate-limit" }]);
    const first = await send("POST /vectors/upsert", upsert);
    expect(first).toMatchObject({
      status: 429,
      headers: { "retry-after": "3" },
      body: { code: 8 },
    });
    const second = await send("POST /vectors/delete", { ids: ["a"] });
    expect(second.status).toBe(429);
    expect(second.headers).not.toHaveProperty("retry-after");
    expect(second.body).toMatchObject({
      message: expect.stringContaining("max delete requests per second for index books"),
    });
    expect(emulator.records("books").size).toBe(0);
    expect(await send("POST /vectors/upsert", upsert)).toMatchObject({ status: 200 });
  });

  it("gives any status, in the form of the plane or with any body", async () => {
    const { send, emulator } = await startIndex();
    const control = sender(emulator.url);
    emulator.behave({ kind: "status", status: 503 });
    expect(await send("POST /vectors/upsert", upsert)).toMatchObject({
      status: 503,
      body: { code: 14, details: [] },
    });
    expect(await control("GET /indexes")).toMatchObject({
      status: 503,
      body: { error: { code: "UNAVAILABLE" }, status: 503 },
    });
    const body = "<title>Sign in</title>";
    emulator.behave({ kind: "status", status: 200, body, type: "text/html" });
    expect(await control("GET /indexes")).toMatchObject({ status: 200, body });
    expect(emulator.records("books").size).toBe(0);
  });

  it("is chosen by a function that sees the request", async () => {
    const { send, emulator } = await startIndex();
    const seen: object[] = [];
    emulator.behave(({ number, operation, index, body, headers }) => {
      seen.push({ number, operation, index, body, key: headers["api-key"] });
      return operation === "upsert" ? { kind: "status", status: 500 } : undefined;
    });
    expect(await send("POST /vectors/upsert", upsert)).toMatchObject({ status: 500 });
    expect(await send("POST /describe_index_stats")).toMatchObject({ status: 200 });
    expect(seen).toEqual([
      { number: 2, operation: "upsert", index: "books", body: upsert, key: "key" },
      { number: 3, operation: "stats", index: "books", body: {}, key: "key" },
    ]);
    emulator.behave(undefined);
    expect(await send("POST /vectors/upsert", upsert)).toMatchObject({ status: 200 });
  });

  it("resets the connection, and nothing is done", async () => {
    const { send, emulator } = await startIndex();
    emulator.behave({ kind: "reset" });
    await expect(send("POST /vectors/upsert", upsert)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) },
    });
    expect(emulator.records("books").size).toBe(0);
  });

  it("hangs until the client goes, and nothing is done", async () => {
    const { host, emulator } = await startIndex();
    emulator.behave({ kind: "hang" });
    const going = new AbortController();
    const asked = fetch(`${host}/vectors/upsert`, {
      method: "POST",
      headers: { "api-key": "key" },
      body: JSON.stringify(upsert),
      signal: going.signal,
    });
    while (emulator.stats().byOperation.upsert === undefined) await immediate();
    going.abort();
    await expect(asked).rejects.toThrow();
    expect(emulator.records("books").size).toBe(0);
  });

  it("cuts off the answer in its middle", async () => {
    const { send, emulator } = await startIndex();
    emulator.behave({ kind: "cut-off" });
    await expect(send("POST /vectors/upsert", upsert)).rejects.toThrow();
    expect(emulator.records("books").size).toBe(1);
  });

  it("serves after a while, by the emulator's clock", async () => {
    const clock = new VirtualClock();
    const { send, emulator } = await startIndex({ clock });
    emulator.behave({ kind: "slow", ms: 60_000 });
    expect(await send("POST /vectors/upsert", upsert)).toMatchObject({ status: 200 });
    expect(clock.waits).toEqual([60_000]);
  });

  it.each([
    ["a reset", { kind: "lost-answer" }],
    ["a status", { kind: "lost-answer", silence: 503 }],
  ] satisfies [string, PineconeBehaviour][])(
    "loses the acknowledgement of a write that was done, with %s",
    async (_, behaviour) => {
      const { send, emulator } = await startIndex();
      emulator.behave([behaviour]);
      const reply = await send("POST /vectors/upsert", upsert).catch(() => ({ status: 0 }));
      expect(reply.status).not.toBe(200);
      expect([...emulator.records("books").keys()]).toEqual(["a"]);
      expect(await send("GET /vectors/fetch?ids=a")).toMatchObject({
        body: { vectors: { a: {} } },
      });
    },
  );

  it("loses the acknowledgement of an index that was made", async () => {
    const emulator = await start();
    emulator.behave([{ kind: "lost-answer" }]);
    await expect(makeIndex(emulator)).rejects.toThrow();
    expect(await sender(emulator.url)("GET /indexes/books")).toMatchObject({ status: 200 });
  });

  it("lets a write land late, over what was written meanwhile", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { send, emulator } = await startIndex({ clock });
    emulator.behave([{ kind: "late", ms: 1000, silence: 503 }]);
    const late = { vectors: [{ id: "a", values: [9, 9, 9] }] };
    expect(await send("POST /vectors/upsert", late)).toMatchObject({ status: 503 });
    expect(emulator.records("books").size).toBe(0);
    await send("POST /vectors/upsert", { vectors: [{ id: "a", values: [1, 1, 1] }] });
    await clock.pass(1000);
    await emulator.landed();
    expect(emulator.records("books").get("a")?.values).toEqual(Float32Array.of(9, 9, 9));
    expect((await send("GET /vectors/fetch?ids=a")).headers).toMatchObject({
      "x-pinecone-max-indexed-lsn": "2",
    });
  });

  it("never lands once the emulator has closed", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { send, emulator } = await startIndex({ clock });
    emulator.behave([{ kind: "late", ms: 1000 }]);
    await expect(send("POST /vectors/upsert", upsert)).rejects.toThrow();
    await emulator.close();
    await emulator.landed();
    expect(emulator.records("books").size).toBe(0);
  });
});

describe("an emulator", () => {
  it("counts requests by operation, bytes, and how many came together", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { send, emulator } = await startIndex({ clock });
    emulator.reset();
    emulator.behave(Array.from({ length: 3 }, () => ({ kind: "slow", ms: 5 })));
    const sent = [1, 2, 3].map(() => send("POST /vectors/upsert", upsert));
    while (clock.waits.length < 3) await immediate();
    await clock.pass(5);
    await Promise.all(sent);
    await send("POST /describe_index_stats", {});
    expect(emulator.stats()).toEqual({
      requests: 4,
      byOperation: { upsert: 3, stats: 1 },
      bytes: 3 * JSON.stringify(upsert).length + 2,
      maxConcurrent: 3,
    });
  });

  it("gives each answer a number of its own", async () => {
    const { send } = await startIndex();
    const replies = [await send("GET /namespaces"), await send("GET /nowhere")];
    expect(replies.map(({ headers }) => headers["x-pinecone-request-id"])).toEqual(["2", "3"]);
  });

  it("closes at once while requests hang, and twice", async () => {
    const { send, emulator } = await startIndex();
    emulator.behave({ kind: "hang" });
    emulator.reset();
    const hanging = [send("POST /query", {}), sender(emulator.url)("GET /indexes")].map((reply) =>
      reply.catch(() => "gone"),
    );
    while (emulator.stats().requests < 2) await immediate();
    await emulator.close();
    await emulator.close();
    expect(await Promise.all(hanging)).toEqual(["gone", "gone"]);
  });

  it("leaves no port open when it closes while an index is being made", async () => {
    const emulator = await start();
    const before = openServers();
    const closed = new Promise<void>((resolve) => {
      emulator.behave(() => {
        // When the handler has asked for a port and has none yet.
        queueMicrotask(() => resolve(emulator.close()));
        return undefined;
      });
    });
    await expect(makeIndex(emulator)).rejects.toThrow();
    await closed;
    for (let turn = 0; turn < 100 && openServers() >= before; turn += 1) await immediate();
    expect(openServers()).toBe(before - 1);
  });

  it("listens where it is told, and says so when that place is taken", async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    await expect(start({ port })).rejects.toThrow("EADDRINUSE");
    await first.close();
    const second = await start({ port });
    expect(second.url).toBe(first.url);
    expect(await sender(second.url)("GET /indexes")).toMatchObject({ body: { indexes: [] } });
  });
});

function openServers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
