import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { GrpcClient } from "../../../../connectors/sinks/weaviate/grpc-client.ts";
import { makeRecord } from "../../../../src/testkit/sink-harness.ts";
import { type Answer, framed, startFakeServer } from "./fake-server.ts";
import { makeSink } from "./make-sink.ts";
import { apiKey, faultOf, openFake, upserts } from "./open-fake.ts";

const signal = new AbortController().signal;

/** The same address, with TLS. */
function tls(address: string): string {
  return address.replace("http:", "https:");
}

/** What becomes of a call. */
function ask(client: GrpcClient): Promise<string> {
  const message = Buffer.alloc(0);
  const call = client.call({ method: "/a.Service/Ask", message, timeoutMs: 5_000 }, signal);
  return call.then(
    () => "answered",
    (error: { readonly failure: string }) => error.failure,
  );
}

describe("a connection", () => {
  it("that is lost in the middle of a write leaves open what was written", async () => {
    const { collection } = await openFake({
      grpc: (method) => (method === "BatchObjects" ? "reset" : undefined),
    });
    const fault = await faultOf(collection.write(upserts(2), signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "later", ambiguous: true });
  });

  it("on which the server does not take a request leaves nothing open", async () => {
    const { collection } = await openFake({
      grpc: (method) => (method === "BatchObjects" ? "refuse-stream" : undefined),
    });
    const fault = await faultOf(collection.write(upserts(2), signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "later", ambiguous: false });
  });

  it("that was lost between two calls is made anew, once", async () => {
    const { collection, server } = await openFake();
    await collection.write(upserts(1), signal);
    expect(server.connections()).toBe(1);
    server.dropConnections();
    await vi.waitFor(() => collection.count(undefined, signal));
    await collection.write(upserts(1), signal);
    expect(server.connections()).toBe(2);
  });

  it("over which no answer comes ends in time, unknown, and the next call makes another", async () => {
    let silent = true;
    const grpc = (method: string): Answer | undefined =>
      silent && method === "BatchObjects" ? "hang" : undefined;
    const { collection, server } = await openFake({ grpc }, { timeout_ms: 200 });
    const started = performance.now();
    const fault = await faultOf(collection.write(upserts(2), signal));
    expect(fault).toMatchObject({ code: "sink.timeout", retry: "later", ambiguous: true });
    expect(fault.message).toMatch(/no answer within 200 ms. Raise `timeout_ms`/);
    expect(performance.now() - started).toBeLessThan(5_000);
    silent = false;
    await collection.write(upserts(2), signal);
    expect(server.connections()).toBe(2);
    expect(collection.limits.writeHorizonMs).toBeGreaterThan(200);
  });

  it("tells the server the deadline, and when a call is given up", async () => {
    const { collection, server } = await openFake(
      { grpc: (method) => (method === "BatchObjects" ? "hang" : undefined) },
      { timeout_ms: 5_000 },
    );
    const controller = new AbortController();
    const write = collection.write(upserts(2), controller.signal);
    await vi.waitFor(() => expect(server.calls.at(-1)?.method).toBe("BatchObjects"));
    expect(server.calls.at(-1)?.headers).toMatchObject({
      "grpc-timeout": "5000m",
      authorization: `Bearer ${apiKey}`,
    });
    const reason = new Error("Enough.");
    controller.abort(reason);
    await expect(write).rejects.toBe(reason);
    await vi.waitFor(() => expect(server.cancelled()).toBe(1));
  });

  it("to nowhere is told at once, by the API that is not there", async () => {
    const server = await startFakeServer();
    const { url, grpc_url } = server.addresses;
    const gone = createServer();
    gone.listen(0, "127.0.0.1");
    await once(gone, "listening");
    const nowhere = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    for (const [config, key] of [
      [{ url: nowhere, grpc_url }, "`url`"],
      [{ url, grpc_url: nowhere }, "`grpc_url`"],
    ] as const) {
      const fault = await faultOf(makeSink({ ...config, collection: "Handbook" }).describe(signal));
      expect(fault).toMatchObject({ code: "sink.unreachable", retry: "later", ambiguous: false });
      expect(fault.message).toContain(`ECONNREFUSED). Check ${key} and that the server runs.`);
    }
  });

  it("to the HTTP port in place of the gRPC port is refused by name", async () => {
    const { addresses } = await startFakeServer();
    const sink = makeSink({ ...addresses, grpc_url: addresses.url, collection: "Handbook" });
    const fault = await faultOf(sink.describe(signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "never" });
    expect(fault.message).toMatch(/does not speak gRPC.*a port of its own, usually 50051/);
  });

  it("through something in between, which hangs up while the server is away, may come about later", async () => {
    const server = await startFakeServer();
    let isAway = false;
    const between = createServer((inside) => {
      inside.on("error", () => {});
      if (isAway) return inside.destroy();
      const outside = connect(server.grpc, "127.0.0.1").on("error", () => {});
      inside.pipe(outside).pipe(inside);
      outside.once("close", () => inside.destroy());
    });
    between.listen(0, "127.0.0.1");
    await once(between, "listening");
    onTestFinished(() => void between.close());
    const origin = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
    const client = new GrpcClient({ origin, headers: {}, maxBytes: 1_000 });
    onTestFinished(() => client.close());
    expect(await ask(client)).toBe("answered");
    isAway = true;
    server.dropConnections();
    await vi.waitFor(async () => expect(await ask(client)).toBe("unreachable"));
    // Who has never heard a word cannot know that the address is right.
    const other = new GrpcClient({ origin, headers: {}, maxBytes: 1_000 });
    onTestFinished(() => other.close());
    expect(await ask(other)).toBe("protocol");
    isAway = false;
    expect(await ask(client)).toBe("answered");
  });

  it("with TLS to a server without, and without to a server with, is refused by name", async () => {
    const { addresses } = await startFakeServer();
    const { url, grpc_url } = addresses;
    const secure = createTls({}).on("tlsClientError", () => {});
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    onTestFinished(() => void secure.close());
    const port = (secure.address() as AddressInfo).port;
    for (const config of [
      { url: tls(url), grpc_url },
      { url, grpc_url: tls(grpc_url) },
      { url, grpc_url: `http://127.0.0.1:${port}` },
    ]) {
      const sink = makeSink({ ...config, collection: "Handbook" });
      const fault = await faultOf(sink.describe(signal));
      expect(fault, JSON.stringify(config)).toMatchObject({
        code: "sink.unreachable",
        retry: "never",
      });
      expect(fault.message).toMatch(/TLS|https/);
    }
    const plain = makeSink({ url: `http://127.0.0.1:${port}`, grpc_url, collection: "Handbook" });
    expect((await faultOf(plain.describe(signal))).code).toBe("sink.unreachable");
  });

  it("prints nothing, whatever happens", async () => {
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name),
    );
    onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
    for (const answer of ["reset", "refuse-stream", { status: 14 }, { http: 502 }] as const) {
      const { collection } = await openFake({
        grpc: (method) => (method === "BatchObjects" ? answer : undefined),
      });
      await faultOf(collection.write(upserts(2), signal));
    }
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

describe("an answer", () => {
  const broken: readonly (readonly [string, Uint8Array])[] = [
    ["empty", new Uint8Array()],
    ["cut in its frame", new Uint8Array(3)],
    ["cut in its message", framed(new Uint8Array(10)).subarray(0, 12)],
    ["compressed", Buffer.from([1, 0, 0, 0, 0])],
  ];
  for (const [what, raw] of broken) {
    it(`that is ${what} leaves open what was written`, async () => {
      const { collection } = await openFake({
        grpc: (method) => (method === "BatchObjects" ? { raw } : undefined),
      });
      const fault = await faultOf(collection.write(upserts(1), signal));
      expect(fault).toMatchObject({ code: "sink.unreachable", ambiguous: true });
    });
  }

  const between: readonly (readonly [number, string, string])[] = [
    [401, "sink.unauthorized", "never"],
    [403, "sink.unauthorized", "never"],
    [404, "sink.unreachable", "never"],
    [200, "sink.unreachable", "never"],
    [429, "sink.not-ready", "later"],
    [502, "sink.not-ready", "later"],
    [503, "sink.not-ready", "later"],
  ];
  for (const [http, code, retry] of between) {
    it(`of HTTP ${http} from something in between is ${code}`, async () => {
      const { collection } = await openFake({
        grpc: (method) => (method === "Aggregate" ? { http } : undefined),
      });
      expect(await faultOf(collection.count(undefined, signal))).toMatchObject({ code, retry });
    });
  }

  const rest: readonly (readonly [Answer | { readonly json: unknown }, string, string, RegExp])[] =
    [
      [
        { status: 401, text: '{"code":401,"message":"unauthorized: invalid api key"}' },
        "sink.unauthorized",
        "never",
        /api_key/,
      ],
      [
        { status: 403, text: '{"error":[{"message":"forbidden"}]}' },
        "sink.unauthorized",
        "never",
        /may not/,
      ],
      [
        { status: 429, text: "", headers: { "retry-after": "3" } },
        "sink.rate-limited",
        "later",
        /slow down/,
      ],
      [{ status: 503, text: "<html>" }, "sink.not-ready", "later", /not ready/],
      [
        { status: 500, text: '{"error":[{"message":"leader not found"}]}' },
        "sink.not-ready",
        "later",
        /leader/,
      ],
      [
        { status: 301, headers: { location: "https://elsewhere.example.com/" } },
        "sink.unreachable",
        "never",
        /elsewhere/,
      ],
      [{ status: 200, text: "<html>" }, "sink.foreign", "never", /is not Weaviate/],
      [{ status: 404, text: "" }, "sink.foreign", "never", /is not Weaviate/],
      [{ json: { version: "1.28.9" } }, "sink.foreign", "never", /needs 1.29 or newer/],
      ["reset", "sink.unreachable", "later", /Check `url`/],
    ];
  for (const [answer, code, retry, says] of rest) {
    it(`of ${JSON.stringify(answer).slice(0, 60)} to the first question is ${code}`, async () => {
      const { addresses } = await startFakeServer({
        rest: (request) => (request === "GET /meta" ? answer : undefined),
      });
      const sink = makeSink({ ...addresses, collection: "Handbook", api_key: apiKey });
      const fault = await faultOf(sink.describe(signal));
      expect([fault.code, fault.retry]).toEqual([code, retry]);
      expect(fault.message).toMatch(says);
    });
  }

  it("of 404 means that there is no collection, and is asked for only after both APIs answered", async () => {
    const { addresses, requests, calls } = await startFakeServer();
    const sink = makeSink({ ...addresses, collection: "handbook" });
    expect(await sink.describe(signal)).toBeUndefined();
    expect(requests).toEqual(["GET /meta", "GET /schema/Handbook"]);
    expect(calls.map(({ method }) => method)).toEqual(["Check"]);
    expect((await faultOf(sink.open(signal))).code).toBe("sink.missing");
    await sink.close();
    await sink.close();
  });

  it("larger than what is accepted is not read to its end", async () => {
    const { addresses } = await startFakeServer({ grpc: () => ({ message: Buffer.alloc(1_000) }) });
    const client = new GrpcClient({ origin: addresses.grpc_url, headers: {}, maxBytes: 999 });
    onTestFinished(() => client.close());
    const call = { method: "/x/Search", message: Buffer.alloc(0), timeoutMs: 5_000 };
    await expect(client.call(call, signal)).rejects.toMatchObject({ failure: "too-large" });
  });

  it("that is no message of Weaviate is a fault, and leaves open what was written", async () => {
    const message = Buffer.from([18, 200, 1]);
    const { collection } = await openFake({ grpc: () => ({ message }) });
    const read = await faultOf(collection.read([makeRecord(1, 4).id], { vectors: false }, signal));
    expect(read).toMatchObject({ code: "sink.unreachable", ambiguous: false });
    const write = await faultOf(collection.write(upserts(1), signal));
    expect(write).toMatchObject({ code: "sink.unreachable", ambiguous: true });
  });
});

describe("a connection that was idle", () => {
  const times = { connectMs: 2_000, idleMs: 0, pingMs: 100 };
  const call = { method: "/x/Check", message: Buffer.alloc(0), timeoutMs: 2_000 };

  it("is asked whether it is still there, and used again when it is", async () => {
    const server = await startFakeServer();
    const { grpc_url: origin } = server.addresses;
    const client = new GrpcClient({ origin, headers: {}, maxBytes: 1_000, times });
    onTestFinished(() => client.close());
    for (let time = 0; time < 3; time += 1) await client.call(call, signal);
    expect(server.connections()).toBe(1);
  });

  it("and was cut without a word is made anew before anything is sent over it", async () => {
    const server = await startFakeServer();
    const sockets: Socket[] = [];
    const way = createServer((inside) => {
      const outside = connect(server.grpc, "127.0.0.1");
      sockets.push(inside, outside);
      for (const socket of [inside, outside]) socket.on("error", () => {});
      inside.pipe(outside).pipe(inside);
    });
    way.listen(0, "127.0.0.1");
    await once(way, "listening");
    const origin = `http://127.0.0.1:${(way.address() as AddressInfo).port}`;
    const client = new GrpcClient({ origin, headers: {}, maxBytes: 1_000, times });
    onTestFinished(async () => {
      await client.close();
      for (const socket of sockets) socket.destroy();
      way.close();
    });
    await client.call(call, signal);
    for (const socket of sockets) socket.unpipe().pause();
    await client.call(call, signal);
    expect(sockets).toHaveLength(4);
    expect(server.calls).toHaveLength(2);
  });
});
