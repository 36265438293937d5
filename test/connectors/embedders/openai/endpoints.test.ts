import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Embedder, PlaceMeasures } from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import type { EmbeddingBehaviour } from "../../../../src/testkit/embedding-behaviour.ts";
import { stubVector } from "../../../../src/testkit/embedding-vector.ts";
import { embedderFor, faultOf, place, setUp, signal } from "./harness.ts";

const reset: EmbeddingBehaviour = { kind: "reset" };
const busy: EmbeddingBehaviour = { kind: "status", status: 503, body: "busy" };
const texts = Array.from({ length: 60 }, (_, index) => `Text number ${index}.`);

/** Embeds each text in a call of its own, again while the fault says `later`, as a run does. */
async function runAll(embedder: Embedder, attempts = 6): Promise<Float32Array[]> {
  const one = async (text: string): Promise<Float32Array> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { vectors } = await embedder.embed([text], "document", signal);
        return vectors[0] ?? new Float32Array();
      } catch (error) {
        if (!isFault(error) || error.retry !== "later" || attempt === attempts) throw error;
      }
    }
  };
  return await Promise.all(texts.map((text) => one(text)));
}

const right = texts.map((text) => stubVector(text, 8));

function measuresOf(embedder: Embedder): readonly PlaceMeasures[] {
  return embedder.measures?.() ?? [];
}

describe("several endpoints", () => {
  it("share the work, and each tells what it did", async () => {
    const { servers, embedder, urls } = await place(3);
    await embedder.open(signal);
    expect(await runAll(embedder)).toEqual(right);
    for (const server of servers) expect(server.stats().answered).toBeGreaterThan(10);
    const measures = measuresOf(embedder);
    expect(measures.map((one) => one.place)).toEqual(urls);
    expect(measures.reduce((sum, one) => sum + one.texts, 0)).toBe(texts.length + 3);
    for (const { ejected, inFlight, errors, window } of measures) {
      expect({ ejected, inFlight, errors, window }).toMatchObject({
        ejected: false,
        inFlight: 0,
        errors: {},
        window: 8,
      });
    }
  });

  it("give a large call and many small ones to different servers", async () => {
    const { servers, embedder } = await place(2);
    await embedder.open(signal);
    const [first, second] = servers;
    first?.behave({ kind: "hang" });
    const stop = new AbortController();
    const large = embedder.embed(["large ".repeat(1_000)], "document", stop.signal);
    for (let call = 0; call < 5; call += 1) await embedder.embed(["x"], "document", signal);
    stop.abort("enough");
    await expect(large).rejects.toBe("enough");
    expect([first?.stats().requests, second?.stats().answered]).toEqual([2, 6]);
  });

  it.each([
    ["resets connections", reset],
    ["fails inside", { kind: "status", status: 500, body: "broken" }],
    ["is busy without end", busy],
    ["hangs", { kind: "hang" }],
  ] as const)("bring everything while one %s", async (_, behaviour) => {
    const { servers, embedder } = await place(3, { timeout_ms: 500 });
    await embedder.open(signal);
    servers[1]?.behave(behaviour);
    expect(await runAll(embedder)).toEqual(right);
    expect(servers[1]?.stats().answered).toBe(1);
  });

  it("go without one that is down from the start, and say so", async () => {
    const { servers, embedder, urls } = await place(2);
    await servers[0]?.close();
    await embedder.open(signal);
    expect(await runAll(embedder)).toEqual(right);
    const notes = embedder.notes?.() ?? [];
    expect(notes).toEqual([{ level: "warning", message: expect.stringContaining(urls[0] ?? "") }]);
    expect(measuresOf(embedder).map(({ ejected }) => ejected)).toEqual([true, false]);
  });

  it("take one back when it answers again, after a pause that grows", async () => {
    const { servers, embedder, clock } = await place(2);
    const [sick] = servers;
    await embedder.open(signal);
    sick?.behave(reset);
    await runAll(embedder);
    const isEjected = (): boolean => measuresOf(embedder)[0]?.ejected === true;
    await expect.poll(isEjected).toBe(true);
    const asked = sick?.stats().requests ?? 0;
    await runAll(embedder);
    expect(sick?.stats().requests).toBe(asked);
    clock.time += 1_000;
    await runAll(embedder);
    await expect.poll(() => sick?.stats().requests).toBe(asked + 1);
    sick?.behave(undefined);
    clock.time += 1_000;
    await runAll(embedder);
    expect(sick?.stats().requests).toBe(asked + 1);
    clock.time += 1_000;
    await runAll(embedder);
    await expect.poll(isEjected).toBe(false);
    const before = sick?.stats().answered ?? 0;
    await runAll(embedder);
    expect(sick?.stats().answered).toBeGreaterThan(before);
  });

  it("refuse one of another model at the start, by its address", async () => {
    const { servers, embedder, urls } = await place(3);
    servers[2]?.behave({ kind: "other-model" });
    const fault = await faultOf(embedder.open(signal));
    expect(fault).toMatchObject({ code: "refused.probe", scope: "component", retry: "never" });
    expect(fault.message).toContain(`\`${urls[2]}\` gives another vector`);
    expect(fault.message).toContain(`than \`${urls[0]}\``);
  });

  it("refuse one of another length at the start", async () => {
    const { servers, embedder } = await place(2);
    servers[1]?.behave({ kind: "wrong-length", dimension: 9 });
    expect(await faultOf(embedder.open(signal))).toMatchObject({
      code: "embed.invalid",
      retry: "never",
    });
  });

  it("never take back one that returns with another model", async () => {
    const { servers, embedder, clock } = await place(2);
    await embedder.open(signal);
    servers[0]?.behave(reset);
    await runAll(embedder);
    servers[0]?.behave({ kind: "other-model" });
    for (let round = 0; round < 3; round += 1) {
      clock.time += 100_000;
      expect(await runAll(embedder)).toEqual(right);
    }
    await expect.poll(() => measuresOf(embedder)[0]?.errors).toHaveProperty(["embed.unreachable"]);
    expect(measuresOf(embedder)[0]?.ejected).toBe(true);
    await servers[1]?.close();
    await faultOf(embedder.embed(["x"], "document", signal));
    expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
      scope: "component",
    });
  });

  it("reject as a single one does when all are down, and go on when one is back", async () => {
    const { servers, embedder } = await place(2);
    await embedder.open(signal);
    for (const server of servers) server.behave(reset);
    for (let call = 0; call < 5; call += 1) {
      expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
        code: "embed.unreachable",
        scope: "component",
        retry: "later",
      });
    }
    servers[1]?.behave(undefined);
    expect(await runAll(embedder)).toEqual(right);
  });

  it("reject at the start when none answers", async () => {
    const { servers, embedder } = await place(2);
    for (const server of servers) await server.close();
    expect(await faultOf(embedder.open(signal))).toMatchObject({ code: "embed.unreachable" });
  });
});

describe("a single endpoint", () => {
  it("is refused when it comes back with another model", async () => {
    const { servers, embedder } = await place(1);
    await embedder.open(signal);
    await embedder.embed(["x"], "document", signal);
    servers[0]?.behave([reset]);
    await faultOf(embedder.embed(["x"], "document", signal));
    servers[0]?.behave({ kind: "other-model" });
    for (let call = 0; call < 2; call += 1) {
      expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
        code: "refused.probe",
        scope: "component",
        retry: "never",
      });
    }
  });

  it("goes on when it comes back as it was", async () => {
    const { servers, embedder } = await place(1);
    await embedder.open(signal);
    servers[0]?.behave([reset]);
    await faultOf(embedder.embed(["x"], "document", signal));
    expect(await runAll(embedder)).toEqual(right);
  });

  it("gets half of the calls at once after it was too busy, and more again later", async () => {
    const { servers, embedder } = await place(1, { concurrency: 8 });
    await embedder.open(signal);
    servers[0]?.behave([busy]);
    await faultOf(embedder.embed(["x"], "document", signal));
    expect(measuresOf(embedder)[0]?.window).toBe(4);
    expect(embedder.limits.concurrentCalls).toBe(8);
    servers[0]?.behave(Array.from({ length: 1 }, () => busy));
    await faultOf(embedder.embed(["x"], "document", signal));
    expect(embedder.limits.concurrentCalls).toBe(4);
    for (let round = 0; round < 5; round += 1) await runAll(embedder);
    expect(measuresOf(embedder)[0]?.window).toBeGreaterThan(2);
    expect(servers[0]?.stats().maxConcurrent).toBeLessThanOrEqual(8);
  });

  it("is kept busy and rarely overrun when it takes few requests at once", async () => {
    let [busyNow, refused, most] = [0, 0, 0];
    const room = 4;
    const server = createServer((request, response) => {
      request.resume();
      if (request.method !== "POST" || busyNow >= room) {
        refused += request.method === "POST" ? 1 : 0;
        response.writeHead(request.method === "POST" ? 429 : 404).end("{}");
        return;
      }
      busyNow += 1;
      most = Math.max(most, busyNow);
      const data = [{ index: 0, embedding: [1, 2, 3, 4] }];
      setTimeout(() => {
        busyNow -= 1;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ data }));
      }, 5);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const embedder = embedderFor(`http://127.0.0.1:${port}/v1`, { concurrency: 64 });
    await embedder.open(signal);
    for (let round = 0; round < 5; round += 1) await runAll(embedder, 100);
    const answered = 5 * texts.length;
    expect(most).toBe(room);
    expect(refused).toBeLessThan(answered / 5);
  });

  it("never has more requests at once than its window, whoever calls", async () => {
    const { server, embedder } = await setUp({ latencyMs: 2 }, { concurrency: 3 });
    expect(await runAll(embedder)).toEqual(right);
    expect(server.stats().maxConcurrent).toBe(3);
  });

  it("lets a call go that waits for room, on abort and on close", async () => {
    const { embedder } = await setUp({ behaviour: { kind: "hang" } }, { concurrency: 1 });
    const first = faultOf(embedder.embed(["a"], "document", signal));
    const stop = new AbortController();
    const aborted = embedder.embed(["b"], "document", stop.signal).catch((error: unknown) => error);
    const closed = faultOf(embedder.embed(["c"], "document", signal));
    stop.abort("enough");
    expect(await aborted).toBe("enough");
    await embedder.close();
    expect(await closed).toMatchObject({ code: "aborted" });
    expect(await first).toMatchObject({ code: "aborted" });
  });
});
