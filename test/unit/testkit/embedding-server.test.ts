import { describe, expect, it, onTestFinished } from "vitest";
import {
  type EmbeddingServer,
  type EmbeddingServerOptions,
  startEmbeddingServer,
} from "../../../src/testkit/embedding-server.ts";
import { stubVector } from "../../../src/testkit/embedding-vector.ts";
import { TokenQueue } from "../../../src/testkit/token-queue.ts";

async function start(options: EmbeddingServerOptions = {}): Promise<EmbeddingServer> {
  const server = await startEmbeddingServer({ dimension: 4, ...options });
  onTestFinished(() => server.close());
  return server;
}

function ask(server: EmbeddingServer, input: unknown, more: object = {}): Promise<Response> {
  const body = JSON.stringify({ model: "m", input, ...more });
  return fetch(`${server.url}/embeddings`, { method: "POST", body });
}

describe("embedding server", () => {
  it("gives each text its own vector, the same at every call, as numbers unless asked for base64", async () => {
    const server = await start();
    const answer = (await (await ask(server, ["a", "b"])).json()) as {
      data: { index: number; embedding: number[] }[];
    };
    expect(answer.data.map(({ embedding }) => Float32Array.from(embedding))).toEqual([
      stubVector("a", 4),
      stubVector("b", 4),
    ]);
    const base64 = (await (await ask(server, "a", { encoding_format: "base64" })).json()) as {
      data: { embedding: string }[];
    };
    const bytes = Buffer.from(base64.data[0]!.embedding, "base64");
    expect(bytes).toEqual(Buffer.from(stubVector("a", 4).buffer));
  });

  it("gives other texts and other models other vectors", () => {
    expect(stubVector("a", 8)).not.toEqual(stubVector("b", 8));
    expect(stubVector("a", 8, "other")).not.toEqual(stubVector("a", 8));
    expect(Math.hypot(...stubVector("a", 1000))).toBeCloseTo(1, 5);
  });

  it("counts requests, texts and tokens, and knows which texts it answered how often", async () => {
    const server = await start({ countTokens: (text) => text.length });
    await ask(server, ["one", "two"]);
    await ask(server, ["two", "two"]);
    expect(server.stats()).toMatchObject({
      requests: 2,
      answered: 2,
      texts: 4,
      tokens: 12,
      repeated: 2,
      distinct: 2,
    });
    expect(server.timesAnswered("two")).toBe(3);
    expect(server.timesAnswered("three")).toBe(0);
    server.reset();
    expect(server.stats()).toMatchObject({ requests: 0, texts: 0, repeated: 0, distinct: 0 });
  });

  it("does not count as answered what it answered wrongly", async () => {
    const server = await start({
      behaviour: [{ kind: "too-few" }, { kind: "status", status: 500 }],
    });
    await ask(server, ["a", "b"]);
    await ask(server, ["a", "b"]);
    expect(server.stats()).toMatchObject({ requests: 2, answered: 0, texts: 0, distinct: 0 });
    await ask(server, ["a", "b"]);
    expect(server.stats()).toMatchObject({ requests: 3, answered: 1, texts: 2, distinct: 2 });
  });

  it("tells its counts over the wire", async () => {
    const server = await start();
    await ask(server, ["a"]);
    const stats = await (await fetch(new URL("/stats", server.url))).json();
    expect(stats).toEqual(server.stats());
    await fetch(new URL("/reset", server.url), { method: "POST" });
    expect(server.stats().requests).toBe(0);
  });

  it("closes at once while a request hangs, and twice", async () => {
    const server = await start({ behaviour: { kind: "hang" } });
    const hanging = ask(server, ["a"]).catch(() => "gone");
    while (server.stats().requests === 0) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    await server.close();
    expect(await hanging).toBe("gone");
  });

  it("serves concurrent requests at its rate in total, not each", async () => {
    const server = await start({ tokensPerSecond: 10_000, countTokens: () => 100 });
    const started = performance.now();
    await Promise.all(Array.from({ length: 10 }, () => ask(server, ["a"])));
    expect(performance.now() - started).toBeGreaterThanOrEqual(99);
    expect(server.stats()).toMatchObject({ tokens: 1000, busyMs: 100 });
  });
});

describe("TokenQueue", () => {
  it("answers in the order of arrival and loses no speed between requests", () => {
    const queue = new TokenQueue(1_000);
    expect(queue.take(100, 0)).toBe(100);
    expect(queue.take(50, 20)).toBe(130);
    expect(queue.take(1, 150)).toBe(1);
    expect(queue.busyMs).toBe(151);
  });

  it("rests while nothing is there to read", () => {
    const queue = new TokenQueue(1_000);
    queue.take(10, 0);
    expect(queue.take(10, 500)).toBe(10);
    expect(queue.busyMs).toBe(20);
  });

  it("answers at once without a limit", () => {
    const queue = new TokenQueue(Number.POSITIVE_INFINITY);
    expect(queue.take(1e9, 5)).toBe(0);
  });
});
