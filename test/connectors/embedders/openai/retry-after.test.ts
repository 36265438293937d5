import { describe, expect, it } from "vitest";
import type { EmbeddingBehaviour } from "../../../../src/testkit/embedding-behaviour.ts";
import { stubVector } from "../../../../src/testkit/embedding-vector.ts";
import { faultOf, place, signal } from "./harness.ts";

function busy(retryAfter?: string, status = 429): EmbeddingBehaviour {
  return { kind: "status", status, body: "", ...(retryAfter === undefined ? {} : { retryAfter }) };
}

async function opened(count: number) {
  const set = await place(count);
  await set.embedder.open(signal);
  const embed = (text: string) => set.embedder.embed([text], "document", signal);
  /** Requests of each server since it was opened. */
  const asked = () => set.servers.map((server) => server.stats().requests - 1);
  return { ...set, embed, asked };
}

describe("a server that asks to come back later, of several,", () => {
  it.each([
    ["429 and a time", busy("30")],
    ["503 and a time", busy("30", 503)],
    ["429 alone", busy()],
    ["a failure and a time", busy("30", 502)],
  ])("with %s gives its call to another one at once", async (_, behaviour) => {
    const { servers, embed, asked } = await opened(2);
    servers[0]?.behave(behaviour);
    const { vectors } = await embed("x");
    expect(vectors).toEqual([stubVector("x", 8)]);
    expect(asked()).toEqual([1, 1]);
  });

  it("is left alone until then, and asked again afterwards", async () => {
    const { servers, embed, asked, clock } = await opened(2);
    servers[0]?.behave([busy("30")]);
    for (let call = 0; call < 5; call += 1) await embed(`before ${call}`);
    clock.time += 29_000;
    await embed("still before");
    expect(asked()).toEqual([1, 6]);
    clock.time += 1_001;
    for (let call = 0; call < 5; call += 1) await embed(`after ${call}`);
    expect(asked()[0]).toBeGreaterThan(1);
  });

  it("is waited for when all do, the nearest first, and none is asked meanwhile", async () => {
    const { servers, embed, asked, clock } = await opened(2);
    servers[0]?.behave([busy("30")]);
    servers[1]?.behave([busy("7")]);
    const later = { code: "embed.rate-limited", scope: "component", retry: "later" };
    expect(await faultOf(embed("x"))).toMatchObject({ ...later, retryAfterMs: 7_000 });
    clock.time += 2_000;
    expect(await faultOf(embed("y"))).toMatchObject({ ...later, retryAfterMs: 5_000 });
    expect(asked()).toEqual([1, 1]);
    clock.time += 5_001;
    expect((await embed("x")).vectors).toHaveLength(1);
    expect(asked()).toEqual([1, 2]);
  });

  it("does not make a call wait longer than the other one asks for", async () => {
    const { servers, embed, asked } = await opened(2);
    servers[0]?.behave([busy("3600")]);
    servers[1]?.behave([busy()]);
    const fault = await faultOf(embed("x"));
    expect(fault).toMatchObject({ code: "embed.rate-limited", retry: "later" });
    expect(fault.retryAfterMs).toBeUndefined();
    expect((await embed("x")).vectors).toHaveLength(1);
    expect(asked()).toEqual([1, 2]);
  });

  it("asks each server once for a call", async () => {
    const { servers, embed, asked } = await opened(3);
    for (const server of servers) server.behave(busy());
    await faultOf(embed("x"));
    expect(asked()).toEqual([1, 1, 1]);
  });

  it("has no call that was given up", async () => {
    const { servers, embedder, asked } = await opened(2);
    const stop = new AbortController();
    servers[0]?.behave(() => {
      stop.abort("enough");
      return busy("30");
    });
    await expect(embedder.embed(["x"], "document", stop.signal)).rejects.toBe("enough");
    expect(asked()[1]).toBe(0);
  });
});

describe("a server that asks to come back later, alone,", () => {
  it("tells its time to the caller, who decides", async () => {
    const { servers, embed, asked } = await opened(1);
    servers[0]?.behave([busy("30")]);
    expect(await faultOf(embed("x"))).toMatchObject({ retryAfterMs: 30_000 });
    expect((await embed("x")).vectors).toHaveLength(1);
    expect(asked()).toEqual([2]);
  });
});
