import { expect, test } from "vitest";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { ask } from "../cache/support/redis-place.ts";
import { describeLive } from "../support/live-servers.ts";

describeLive("redis", (redis) => {
  test("the shared server is used from the address that it was given", async () => {
    expect(await ask(redis.address, "PING")).toBe("PONG");
  });

  test("it forgets all when it is killed, but for what a test has set for the next start", async () => {
    await using own = await startServer("redis");
    await ask(own.address, "SET", "a", "b");
    await ask(own.address, "CONFIG", "SET", "maxmemory", "7mb");
    await ask(own.address, "CONFIG", "REWRITE");
    await own.kill();
    await expect(ask(own.address, "PING")).rejects.toThrow("ECONNREFUSED");
    await own.restart();
    expect(await ask(own.address, "EXISTS", "a")).toBe(0);
    const [, bound] = await ask<unknown[]>(own.address, "CONFIG", "GET", "maxmemory");
    expect(String(bound)).toBe(String(7 * 1024 * 1024));
  });

  test("two of them have nothing in common", async () => {
    await using own = await startServer("redis");
    await ask(own.address, "SET", "a", "b");
    expect(own.address).not.toBe(redis.address);
    expect(await ask(redis.address, "EXISTS", "a")).toBe(0);
  });
});
