import { describe, expect, test } from "vitest";
import { goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

function withCache(lines: string): string {
  return `${goodFile}cache: ${lines}\n`;
}

describe("the cache of a pipeline", () => {
  test("is a file with float32 vectors where nothing else is said", async () => {
    const { config } = await readText(goodFile);
    expect(config?.cache).toMatchObject({ type: "sqlite", maxMb: 4096, storage: "float32" });
  });

  test("may be a Redis server, whose other settings have defaults", async () => {
    const { told, config } = await readText(
      withCache("{ type: redis, url: rediss://cache.example/3, storage: float16 }"),
    );
    expect(told).toEqual([]);
    expect(config?.cache).toEqual({
      type: "redis",
      url: "rediss://cache.example/3",
      prefix: "sluice:",
      ttlDays: 30,
      timeoutMs: 2_000,
      storage: "float16",
    });
  });

  test("with a Redis server and no address is refused", async () => {
    const { told } = await readText(withCache("{ type: redis }"));
    expect(told).toEqual([expect.stringMatching(/`cache\.url` is missing/)]);
  });

  test.each([
    "http://cache.example",
    "redis:cache.example",
    "redis://",
    "redis://host:port",
    "redis://host/name",
    "redis://host/0?tls=true",
    "redis://user:p@ss/word@host",
    "/var/run/redis.sock",
  ])("is refused at the place of an address that is none: %s", async (url) => {
    const { told } = await readText(withCache(`{ type: redis, url: "${url}" }`));
    expect(told).toEqual([expect.stringMatching(/^p\.yaml:\d+:\d+: .*redis:\/\/host:6379\/0/)]);
  });

  test.each([
    "redis://127.0.0.1",
    "redis://[::1]:6380/15",
    "rediss://user:p%40ss@cache.example:6380",
    "redis://:word@cache.example",
  ])("takes the address %s", async (url) => {
    expect((await readText(withCache(`{ type: redis, url: "${url}" }`))).told).toEqual([]);
  });

  test.each<[string, string]>([
    ["prefix: 'a*'", "letters, digits"],
    ["ttl_days: 0", "between 1 and 3650"],
    ["timeout_ms: 1", "between 10 and 60000"],
    ["storage: int8", "float32"],
    ["max_mb: 5", "unknown key"],
  ])("with `%s` is refused with what is expected", async (setting, expected) => {
    const { told } = await readText(withCache(`{ type: redis, url: redis://a, ${setting} }`));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(expected);
  });

  test("keeps its password out of everything that is shown", async () => {
    for (const [text, environment] of [
      [withCache("{ type: redis, url: redis://me:hunter22@h, prefix: x }"), {}],
      [withCache("{ type: redis, url: redis://h, password: hunter22 }"), {}],
      [withCache('{ type: redis, url: "redis://h", password: "${REDIS_PASSWORD}" }'), env],
      [withCache('{ type: redis, url: "redis://:${REDIS_PASSWORD}@h" }'), env],
    ] as const) {
      const { told, redact } = await readText(text, { environment });
      expect(told).toEqual([]);
      expect(redact("it said hunter22, at redis://me:hunter22@h")).not.toContain("hunter22");
    }
  });
  test("draws a warning where a secret stands in the address, and none where it has its own key", async () => {
    const own = '{ type: redis, url: redis://h, password: "${REDIS_PASSWORD}" }';
    expect((await readText(withCache(own), { environment: env })).warned).toEqual([]);
    const inside = '{ type: redis, url: "redis://:${REDIS_PASSWORD}@h" }';
    const { warned } = await readText(withCache(inside), { environment: env });
    expect(warned).toEqual([expect.stringContaining("`cache.url` is not a secret field")]);
  });
});

const env = { REDIS_PASSWORD: "hunter22" };
