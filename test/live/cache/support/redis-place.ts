import { randomUUID } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import { onTestFinished } from "vitest";
import { redisCache, type RedisCacheOptions } from "../../../../src/cache/index.ts";
import type { EmbeddingCache } from "../../../../src/contracts/index.ts";
import type { CachePlace } from "../../../../src/testkit/index.ts";

export type Value = string | Buffer;

/** Speaks to a server as anybody could, behind the back of the caches there. */
export async function ask<Answer>(url: string, ...command: readonly Value[]): Promise<Answer> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  try {
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
    return await client.sendCommand<Answer>(command, { typeMapping });
  } finally {
    client.destroy();
  }
}

export async function keysLike(url: string, pattern: string): Promise<string[]> {
  return (await ask<Buffer[]>(url, "KEYS", pattern)).map(String);
}

export const settings = { ttlDays: 1, timeoutMs: 2_000, pauseMs: 20 };

/** A prefix of its own on a server, and the caches that were opened there. */
export class RedisPlace implements CachePlace {
  readonly url: string;
  readonly prefix = `test-${randomUUID()}:`;
  readonly #options: Partial<RedisCacheOptions>;
  readonly #caches: EmbeddingCache[] = [];

  constructor(url: string, options: Partial<RedisCacheOptions> = {}) {
    this.url = url;
    this.#options = options;
  }

  async open(): Promise<EmbeddingCache> {
    const { url, prefix } = this;
    const cache = redisCache({ url, prefix, ...settings, ...this.#options });
    this.#caches.push(cache);
    return cache;
  }

  /** The name of an entry in Redis. */
  async entry(key: string): Promise<string> {
    const [name] = await keysLike(this.url, `${this.prefix}*:${key}`);
    if (name === undefined) throw new Error(`There is no entry of the key ${key}.`);
    return name;
  }

  async close(): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.close()));
  }
}

/** A place whose caches are closed after the test. */
export function placeAt(url: string, options: Partial<RedisCacheOptions> = {}): RedisPlace {
  const place = new RedisPlace(url, options);
  onTestFinished(() => place.close());
  return place;
}

/** What a cache has to say. */
export function newsOf(cache: EmbeddingCache): string[] {
  return (cache.news?.() ?? []).map(({ level, message }) => `${level}: ${message}`);
}
