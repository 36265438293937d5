import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePorts } from "../../../scripts/servers/free-ports.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import type { EmbeddingCache } from "../../../src/contracts/index.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { describeLive } from "../support/live-servers.ts";
import { ask, newsOf, placeAt } from "./support/redis-place.ts";
import { dimension, entriesFrom, keyOf } from "./support/vectors.ts";

const soon = { timeout: 20_000, interval: 20 };

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function finds(cache: EmbeddingCache, number: number): Promise<boolean> {
  return (await cache.get([keyOf(number)], dimension)).size === 1;
}

/** Resolves when the cache keeps what it is given. */
function isUsed(cache: EmbeddingCache, number: number): Promise<void> {
  return vi.waitFor(async () => {
    await cache.put(entriesFrom(number, 1));
    expect(await finds(cache, number)).toBe(true);
  }, soon);
}

describeLive("redis", () => {
  test("a server that is not there costs no time, and is told of once", async () => {
    const [port] = await freePorts(1);
    const cache = await placeAt(`redis://:secret@127.0.0.1:${port}`).open();
    expect(await cache.probe("a")).toBeUndefined();
    expect(await cache.keepProbe("a", "mine")).toBe("mine");
    const spent = await milliseconds(async () => {
      for (let number = 0; number < 500; number += 1) {
        expect(await finds(cache, number)).toBe(false);
        await cache.put(entriesFrom(number, 1));
      }
    });
    expect(spent).toBeLessThan(2_000);
    const [news, ...more] = newsOf(cache);
    expect(news).toMatch(/^warning: the embedding cache `redis:\/\/127.*ECONNREFUSED.*goes on/);
    expect(news).not.toContain("secret");
    expect(more).toEqual([]);
    for (const call of [() => cache.stats(), () => cache.clear()]) {
      await expect(call()).rejects.toMatchObject({ code: "cache.unreachable" });
    }
  });

  test("a server that is tried again and again is told of once", async () => {
    let tries = 0;
    const rude = createServer((socket) => {
      tries += 1;
      socket.destroy();
    });
    rude.listen(0, "127.0.0.1");
    await once(rude, "listening");
    onTestFinished(() => void rude.close());
    const { port } = rude.address() as AddressInfo;
    const cache = await placeAt(`redis://127.0.0.1:${port}`).open();
    await vi.waitFor(async () => {
      expect(await finds(cache, 0)).toBe(false);
      expect(tries).toBeGreaterThan(4);
    }, soon);
    expect(newsOf(cache)).toHaveLength(1);
  });

  test("a server that comes after the start is used, with this run's probe", async () => {
    await using server = await startServer("redis");
    await server.kill();
    const place = placeAt(server.address);
    const cache = await place.open();
    expect(await cache.keepProbe("a", "mine")).toBe("mine");
    await server.restart();
    await isUsed(cache, 1);
    expect(await (await place.open()).probe("a")).toBe("mine");
    expect(newsOf(cache).map((news) => news.split(":")[0])).toEqual(["warning", "info"]);
  });

  test("a server that was away at the start, and has another's probe, is not used by this run", async () => {
    await using server = await startServer("redis");
    await server.kill();
    const place = placeAt(server.address);
    const cache = await place.open();
    await cache.keepProbe("a", "mine");
    await server.restart();
    const other = await place.open();
    await other.keepProbe("a", "another model's");
    await other.put(entriesFrom(1, 1));
    await vi.waitFor(async () => {
      await cache.get([keyOf(1)], dimension);
      expect(newsOf(cache).join()).toContain("filled anew by others");
    }, soon);
    expect(await finds(cache, 1)).toBe(false);
    await cache.put(entriesFrom(2, 1));
    expect(await finds(other, 2)).toBe(false);
    expect(await cache.keepProbe("a", "mine")).toBe("another model's");
    expect(await finds(cache, 1)).toBe(true);
  });

  test("a server that is killed in the midst and comes back empty is used again", async () => {
    await using server = await startServer("redis");
    const place = placeAt(server.address);
    const cache = await place.open();
    await cache.keepProbe("a", "mine");
    await cache.put(entriesFrom(0, 3));
    await server.kill();
    const spent = await milliseconds(async () => {
      for (let number = 0; number < 300; number += 1) expect(await finds(cache, 0)).toBe(false);
    });
    expect(spent).toBeLessThan(2_000);
    await server.restart();
    await isUsed(cache, 5);
    expect(await finds(cache, 0)).toBe(false);
    expect(await cache.probe("a")).toBe("mine");
  });

  test("what a server keeps on its disk is found again after it was killed", async () => {
    await using server = await startServer("redis");
    await ask(server.address, "CONFIG", "SET", "appendonly", "yes");
    await ask(server.address, "CONFIG", "SET", "appendfsync", "always");
    await ask(server.address, "CONFIG", "REWRITE");
    const cache = await placeAt(server.address).open();
    await vi.waitFor(async () => {
      const info = String(await ask(server.address, "INFO", "persistence"));
      expect(info).toContain("aof_rewrite_in_progress:0");
    }, soon);
    await cache.keepProbe("a", "mine");
    await cache.put(entriesFrom(0, 3));
    await server.kill();
    await server.restart();
    await vi.waitFor(async () => expect(await finds(cache, 2)).toBe(true), soon);
  });

  test("a server that hangs costs one timeout, and is used again when it goes on", async () => {
    await using server = await startServer("redis");
    const cache = await placeAt(server.address, { timeoutMs: 300, pauseMs: 200 }).open();
    await cache.keepProbe("a", "mine");
    await cache.put(entriesFrom(0, 1));
    const processId = server.processId ?? 0;
    process.kill(processId, "SIGSTOP");
    try {
      const together = await milliseconds(() =>
        Promise.all(Array.from({ length: 50 }, () => cache.get([keyOf(0)], dimension))),
      );
      expect(together).toBeGreaterThan(250);
      expect(together).toBeLessThan(1_500);
      const after = await milliseconds(async () => {
        for (let number = 0; number < 100; number += 1) await cache.get([keyOf(0)], dimension);
      });
      expect(after).toBeLessThan(300);
    } finally {
      process.kill(processId, "SIGCONT");
    }
    await vi.waitFor(async () => expect(await finds(cache, 0)).toBe(true), soon);
    expect(newsOf(cache).join()).toMatch(/did not answer within 300 ms.*used again/s);
  });

  test("an answer that came while this process was busy is no timeout", async () => {
    await using server = await startServer("redis");
    const cache = await placeAt(server.address, { timeoutMs: 150 }).open();
    const entries = entriesFrom(0, 64);
    await cache.put(entries);
    for (let round = 0; round < 5; round += 1) {
      const finding = cache.get([...entries.keys()], dimension);
      const end = performance.now() + 400;
      // The commands leave, and then this thread does something else for long.
      await new Promise((resolve) => setImmediate(resolve));
      while (performance.now() < end);
      expect((await finding).size).toBe(64);
    }
    expect(newsOf(cache)).toEqual([]);
  });

  test("a connection that the server closes for idleness is made anew without a miss or a word", async () => {
    await using server = await startServer("redis");
    const cache = await placeAt(server.address).open();
    await cache.keepProbe("a", "mine");
    await cache.put(entriesFrom(0, 1));
    for (let round = 0; round < 3; round += 1) {
      await ask(server.address, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await vi.waitFor(async () => {
        const clients = String(await ask(server.address, "CLIENT", "LIST"));
        expect(clients.trim().split("\n")).toHaveLength(1);
      }, soon);
      expect(await finds(cache, 0)).toBe(true);
    }
    expect(newsOf(cache)).toEqual([]);
  });

  test("calls in flight end when the cache is closed, and later ones are refused", async () => {
    await using server = await startServer("redis");
    const cache = await placeAt(server.address).open();
    await cache.put(entriesFrom(0, 500));
    const keys = [...entriesFrom(0, 500).keys()];
    const reading = Array.from({ length: 20 }, () =>
      cache.get(keys, dimension).then(
        () => "ended",
        (error: unknown) => error,
      ),
    );
    await cache.close();
    for (const end of await Promise.all(reading)) {
      if (end !== "ended") expect(end).toMatchObject({ code: "cache.unusable" });
    }
    await expect(cache.get(keys, dimension)).rejects.toMatchObject({ code: "cache.unusable" });
  });

  test("a server that takes connections and says nothing costs a start no more than its timeouts", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const options = { timeoutMs: 200, pauseMs: 60_000 };
    const cache = await placeAt(`redis://127.0.0.1:${port}`, options).open();
    const spent = await milliseconds(async () => {
      expect(await cache.probe("a")).toBeUndefined();
      expect(await cache.keepProbe("a", "mine")).toBe("mine");
      await cache.put(entriesFrom(0, 1));
      expect(await finds(cache, 0)).toBe(false);
    });
    expect(spent).toBeLessThan(1_500);
    await cache.close();
  });
});

describeLive("toxiproxy", (toxiproxy) => {
  test("answers that are cut off in the middle are misses, and no call waits for long", async () => {
    await using server = await startServer("redis");
    await using proxy = await FaultyProxy.open(toxiproxy, new URL(server.address).host);
    const url = `redis://${proxy.address}`;
    const cache = await placeAt(url, { timeoutMs: 500 }).open();
    const entries = entriesFrom(0, 200);
    await cache.keepProbe("a", "mine");
    await cache.put(entries);
    await proxy.add({ type: "limit_data", attributes: { bytes: 9_000 } });
    const spent = await milliseconds(async () => {
      for (let round = 0; round < 50; round += 1) {
        const found = await cache.get([...entries.keys()], dimension);
        for (const [key, vector] of found) expect(vector).toEqual(entries.get(key));
      }
    });
    expect(spent).toBeLessThan(10_000);
    await proxy.remove("limit_data");
    await vi.waitFor(async () => {
      expect(await cache.get([...entries.keys()], dimension)).toEqual(entries);
    }, soon);
  });

  test("a slow network is waited for within the time of a call", async () => {
    await using server = await startServer("redis");
    await using proxy = await FaultyProxy.open(toxiproxy, new URL(server.address).host);
    const cache = await placeAt(`redis://${proxy.address}`).open();
    await proxy.add({ type: "latency", attributes: { latency: 50 } });
    await proxy.add({ type: "slicer", attributes: { average_size: 100, size_variation: 50 } });
    const entries = entriesFrom(0, 100);
    await cache.put(entries);
    expect(await cache.get([...entries.keys()], dimension)).toEqual(entries);
    expect(newsOf(cache)).toEqual([]);
  });
});
