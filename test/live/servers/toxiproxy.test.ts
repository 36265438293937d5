import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, expect, test } from "vitest";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { describeLive } from "../support/live-servers.ts";

/** One request on a connection of its own, since a connection keeps its faults. */
async function ask(proxy: FaultyProxy, timeoutMs = 30_000): Promise<string> {
  const response = await fetch(`http://${proxy.address}`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return response.text();
}

describeLive("toxiproxy", (toxiproxy) => {
  const answer = "x".repeat(1000);
  let upstream = "";

  beforeAll(async () => {
    const server = createServer((_request, response) => response.end(answer));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    upstream = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    };
  });

  test("a proxy without faults lets everything through", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    expect(await ask(proxy)).toBe(answer);
  });

  test("latency holds an answer back for at least as long as it says", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    await proxy.add({ type: "latency", attributes: { latency: 200 } });
    const started = performance.now();
    expect(await ask(proxy)).toBe(answer);
    expect(performance.now() - started).toBeGreaterThan(195);
  });

  test("a black hole never answers", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    await proxy.add({ type: "timeout", stream: "upstream", attributes: { timeout: 0 } });
    await expect(ask(proxy, 300)).rejects.toThrow("timeout");
    await proxy.remove("timeout", "upstream");
    expect(await ask(proxy)).toBe(answer);
  });

  test("an answer that is cut off in the middle fails at the client", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    await proxy.add({ type: "limit_data", attributes: { bytes: 600 } });
    await expect(ask(proxy)).rejects.toThrow();
  });

  test("a proxy that refuses comes back at the same port", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    await proxy.refuse(true);
    await expect(ask(proxy)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await proxy.refuse(false);
    expect(await ask(proxy)).toBe(answer);
  });

  test("a wrong fault is an error and not passed over", async () => {
    await using proxy = await FaultyProxy.open(toxiproxy, upstream);
    const wrong = { type: "timeout", toxicity: 1, attributes: { timeout: 0 } } as const;
    await proxy.add(wrong);
    await expect(proxy.add(wrong)).rejects.toThrow("toxic already exists");
  });

  test("it works again after `kill -9`, at the same address, and has forgotten its proxies", async () => {
    await using own = await startServer("toxiproxy");
    const proxy = await FaultyProxy.open(own, upstream);
    expect(await ask(proxy)).toBe(answer);
    await own.kill();
    await expect(fetch(`${own.address}/version`)).rejects.toThrow("fetch failed");
    await expect(ask(proxy)).rejects.toThrow("fetch failed");
    await own.restart();
    expect(await (await fetch(`${own.address}/proxies`)).json()).toStrictEqual({});
  });
});
