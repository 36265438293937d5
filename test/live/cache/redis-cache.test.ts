import { expect, test } from "vitest";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { describeLive } from "../support/live-servers.ts";
import { ask, keysLike, newsOf, placeAt } from "./support/redis-place.ts";
import { dimension, entriesFrom, keyOf, vectorOf } from "./support/vectors.ts";

describeLive("redis", ({ address }) => {
  test("users who keep a probe at the same moment all get one and the same", async () => {
    const place = placeAt(address);
    const users = await Promise.all(Array.from({ length: 12 }, () => place.open()));
    const kept = await Promise.all(users.map((user, index) => user.keepProbe("a", `${index}`)));
    expect(new Set(kept).size).toBe(1);
    for (const user of users) expect(await user.probe("a")).toBe(kept[0]);
  });

  test("what one user puts, all others find, also those who came before", async () => {
    const place = placeAt(address);
    const [early, late] = [await place.open(), await place.open()];
    expect((await early.get([keyOf(1)], dimension)).size).toBe(0);
    await late.put(entriesFrom(0, 5));
    expect(await early.get([keyOf(1)], dimension)).toEqual(new Map([[keyOf(1), vectorOf(1)]]));
  });

  test("thousands of keys are looked up and put in one call", async () => {
    const cache = await placeAt(address).open();
    const entries = entriesFrom(0, 5_000);
    await cache.put(entries);
    expect(await cache.get([...entries.keys()], dimension)).toEqual(entries);
  });

  test.each<[string, readonly (string | Buffer)[]]>([
    ["no bytes", ["SET", ""]],
    ["half a vector", ["SET", Buffer.alloc(dimension * 2)]],
    ["a vector of another length", ["SET", Buffer.alloc(dimension * 4 + 4, 1)]],
    ["a vector with NaN", ["SET", Buffer.alloc(dimension * 4, 0xff)]],
    ["a vector of zeros", ["SET", Buffer.alloc(dimension * 4)]],
    ["words", ["SET", "hello"]],
  ])("an entry that is %s is not given, and is gone when it was met", async (_, [verb, bytes]) => {
    const place = placeAt(address);
    const cache = await place.open();
    await cache.put(entriesFrom(0, 2));
    const name = await place.entry(keyOf(0));
    await ask(address, verb ?? "", name, bytes ?? "");
    expect([...(await cache.get([keyOf(0), keyOf(1)], dimension)).keys()]).toEqual([keyOf(1)]);
    expect(await ask(address, "EXISTS", name)).toBe(0);
    await cache.put(entriesFrom(0, 1));
    expect((await cache.get([keyOf(0)], dimension)).get(keyOf(0))).toEqual(vectorOf(0));
  });

  test("an entry that is a list is not given, and a put replaces it", async () => {
    const place = placeAt(address);
    const cache = await place.open();
    await cache.put(entriesFrom(0, 1));
    const name = await place.entry(keyOf(0));
    await ask(address, "DEL", name);
    await ask(address, "RPUSH", name, "1", "2");
    expect((await cache.get([keyOf(0)], dimension)).size).toBe(0);
    await cache.put(entriesFrom(0, 1));
    expect((await cache.get([keyOf(0)], dimension)).size).toBe(1);
  });

  test("something else under the name of the probes is replaced, and nothing fails", async () => {
    const place = placeAt(address);
    const [old, cache] = [await place.open(), await place.open()];
    await old.keepProbe("a", "mine");
    await old.put(entriesFrom(0, 1));
    const [probes = ""] = await keysLike(address, `${place.prefix}*probes`);
    for (const rubbish of [
      ["SET", probes, "rubbish"],
      ["RPUSH", probes, "rub", "bish"],
    ]) {
      await ask(address, "DEL", probes);
      await ask(address, ...rubbish);
      expect(await cache.probe("a")).toBeUndefined();
      expect((await cache.get([keyOf(0)], dimension)).size).toBe(0);
      expect((await cache.stats()).entries).toBe(0);
      expect(await cache.keepProbe("a", "mine")).toBe("mine");
      await cache.put(entriesFrom(0, 1));
      expect((await old.get([keyOf(0)], dimension)).size).toBe(1);
      await cache.clear();
    }
  });

  test("float16 takes half the room, and the settings do not take one another's entries for theirs", async () => {
    const coarsePlace = placeAt(address, { storage: "float16" });
    const coarse = await coarsePlace.open();
    const entries = entriesFrom(0, 10);
    const keys = [...entries.keys()];
    await coarse.put(entries);
    expect((await coarse.stats()).bytes).toBe(10 * (dimension * 2 + 1));
    const fine = placeAt(address, { prefix: coarsePlace.prefix });
    const changed = await fine.open();
    expect((await changed.get(keys, dimension)).size).toBe(0);
    expect((await coarse.get(keys, dimension)).size).toBe(10);
    await changed.put(entriesFrom(0, 3));
    expect(await changed.get(keys, dimension)).toEqual(entriesFrom(0, 3));
    expect((await coarse.get(keys, dimension)).size).toBe(10);
  });

  test("an entry lives for its days after it was last used, and the probes for good", async () => {
    const place = placeAt(address, { ttlDays: 2 });
    const cache = await place.open();
    await cache.keepProbe("a", "probe");
    await cache.put(entriesFrom(0, 1));
    const name = await place.entry(keyOf(0));
    const days = async (): Promise<number> =>
      Number(await ask<number>(address, "PTTL", name)) / 86_400_000;
    expect(await days()).toBeGreaterThan(1.99);
    await ask(address, "PEXPIRE", name, "60000");
    await cache.get([keyOf(0)], dimension);
    expect(await days()).toBeGreaterThan(1.99);
    const [probes = ""] = await keysLike(address, `${place.prefix}*probes`);
    expect(await ask(address, "PTTL", probes)).toBe(-1);
  });

  test("clearing removes what is under the prefix, of every version, and nothing else", async () => {
    const [own, other] = [placeAt(address), placeAt(address)];
    const [cache, neighbour] = [await own.open(), await other.open()];
    await cache.put(entriesFrom(0, 2_500));
    await neighbour.put(entriesFrom(0, 3));
    await ask(address, "SET", `${own.prefix}0:of-another-version`, "x");
    const [similar, plain] = [own.prefix.replace(":", "?"), `plain-${own.prefix}`];
    await ask(address, "MSET", similar, "x", plain, "x");
    expect((await cache.stats()).entries).toBe(2_500);
    await cache.clear();
    expect(await keysLike(address, `${own.prefix}*`)).toEqual([]);
    expect((await neighbour.get([keyOf(1)], dimension)).size).toBe(1);
    expect(await ask(address, "DEL", similar, plain)).toBe(2);
  });

  test("a prefix of signs that mean something in a pattern clears its own keys only", async () => {
    const base = placeAt(address).prefix;
    const odd = placeAt(address, { prefix: `${base}[a]*` });
    const near = placeAt(address, { prefix: `${base}a` });
    const [cache, neighbour] = [await odd.open(), await near.open()];
    await cache.put(entriesFrom(0, 2));
    await neighbour.put(entriesFrom(0, 2));
    await cache.clear();
    expect((await cache.stats()).entries).toBe(0);
    expect((await neighbour.stats()).entries).toBe(2);
  });

  test("entries whose probes are gone are found by nobody, whoever comes next", async () => {
    const place = placeAt(address);
    const [old, next] = [await place.open(), await place.open()];
    await old.keepProbe("a", "the old model");
    await old.put(entriesFrom(0, 3));
    const [probes = ""] = await keysLike(address, `${place.prefix}*probes`);
    await ask(address, "DEL", probes);
    expect(await next.keepProbe("a", "the new model")).toBe("the new model");
    expect((await next.get([keyOf(0)], dimension)).size).toBe(0);
    await next.put(entriesFrom(10, 1));
    expect((await old.get([keyOf(10)], dimension)).size).toBe(0);
    expect(newsOf(old).join()).toMatch(/^warning: .*filled anew by others/);
    await old.put(entriesFrom(20, 1));
    expect((await next.get([keyOf(20)], dimension)).size).toBe(0);
  });

  test("a cache that was cleared by another user in the midst is filled again by both", async () => {
    const place = placeAt(address);
    const [one, two] = [await place.open(), await place.open()];
    for (const user of [one, two]) await user.keepProbe("a", "the model");
    await one.put(entriesFrom(0, 3));
    await two.clear();
    expect((await one.get([keyOf(0)], dimension)).size).toBe(0);
    await one.put(entriesFrom(5, 1));
    expect(await two.keepProbe("a", "the model, a little other")).toBe("the model");
    expect((await two.get([keyOf(5)], dimension)).size).toBe(1);
    expect(newsOf(one)).toEqual([]);
  });
});

describeLive("redis", () => {
  test("a server that evicts, the probes too, makes entries be missed and nothing else", async () => {
    await using server = await startServer("redis");
    await ask(server.address, "CONFIG", "SET", "maxmemory", "3mb");
    await ask(server.address, "CONFIG", "SET", "maxmemory-policy", "allkeys-random");
    const place = placeAt(server.address);
    const cache = await place.open();
    await cache.keepProbe("a", "the model");
    for (let start = 0; start < 20_000; start += 1_000) {
      const entries = entriesFrom(start, 1_000);
      await cache.put(entries);
      const found = await cache.get([...entries.keys()], dimension);
      for (const [key, vector] of found) expect(vector).toEqual(entries.get(key));
    }
    const { entries, maxBytes } = await cache.stats();
    expect(entries).toBeLessThan(20_000);
    expect(maxBytes).toBe(3 * 1024 * 1024);
    expect(await (await place.open()).keepProbe("a", "the model")).toBe("the model");
    expect(newsOf(cache)).toEqual([]);
  });

  test("a server without room and without eviction gives what it has, and says so once", async () => {
    await using server = await startServer("redis");
    const place = placeAt(server.address);
    const cache = await place.open();
    await cache.keepProbe("a", "the model");
    await cache.put(entriesFrom(0, 10));
    await ask(server.address, "CONFIG", "SET", "maxmemory", "1");
    await cache.put(entriesFrom(10, 10));
    await cache.put(entriesFrom(20, 10));
    const keys = [...entriesFrom(0, 30).keys()];
    expect(await cache.get(keys, dimension)).toEqual(entriesFrom(0, 10));
    expect(newsOf(cache)).toEqual([expect.stringMatching(/^warning: .*no room.*maxmemory/)]);
    const other = await place.open();
    expect(await other.keepProbe("a", "another")).toBe("the model");
    expect((await other.get(keys, dimension)).size).toBe(10);
    expect(await other.keepProbe("b", "its own")).toBe("its own");
    expect((await other.get(keys, dimension)).size).toBe(0);
    expect(newsOf(other).join()).toMatch(/no room, not even for a probe/);
  });
});
