import type { CacheStats, EmbeddingCache } from "../../contracts/index.ts";
import { assert } from "../../faults/index.ts";
import { decodeVector, encodeVector, isSound, type Storage } from "../vectors.ts";
import type { Command, RedisConnection, Reply } from "./connection.ts";
import { Generations } from "./generations.ts";
import { RedisKeys } from "./keys.ts";
import { RedisLink } from "./link.ts";
import { redisServer } from "./redis-server.ts";
import { removeKeys, sizesOf } from "./scan.ts";
import { isFull } from "./trouble.ts";

export interface RedisCacheOptions {
  /** `redis://HOST:PORT/DATABASE`, with credentials if need be; `rediss://` for TLS. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Stands before every key. Caches of one server and prefix are one cache. */
  readonly prefix: string;
  /** Entries that were not used for so long go. */
  readonly ttlDays: number;
  /** How long a call waits for the server. */
  readonly timeoutMs: number;
  /** How vectors are kept from now on; float32 when left out. Entries of both kinds may lie side by side. */
  readonly storage?: Storage;
  /** How long a server that does not answer is left alone the first time; 1,000 when left out. */
  readonly pauseMs?: number;
}

/** Keys of one batch: some megabytes at most. */
const keysPerBatch = 64;
const dayMs = 86_400_000;

/**
 * Keeps vectors on a Redis server, shared by machines; the first use connects. A server that is away makes `get` find
 * nothing and `put` keep nothing, and is used again when it is back; `stats` and `clear` reject with `cache.unreachable`.
 */
export function redisCache(options: RedisCacheOptions): EmbeddingCache {
  return new RedisCache(options);
}

class RedisCache implements EmbeddingCache {
  readonly #keys: RedisKeys;
  readonly #link: RedisLink;
  readonly #generations: Generations;
  readonly #storage: Storage;
  readonly #ttl: string;
  #isFullTold = false;

  constructor(options: RedisCacheOptions) {
    assert(options.ttlDays > 0, "entries live for some time");
    const { timeoutMs, pauseMs = 1_000 } = options;
    const server = redisServer(options.url, options);
    this.#storage = options.storage ?? "float32";
    this.#ttl = String(Math.ceil(options.ttlDays * dayMs));
    this.#keys = new RedisKeys(options.prefix);
    this.#generations = new Generations(this.#keys, server.address, (message) =>
      this.#link.tell("warning", message),
    );
    const admit = (connection: RedisConnection): Promise<void> =>
      this.#generations.admit(connection);
    this.#link = new RedisLink({ server, timeoutMs, pauseMs, admit });
  }

  async get(keys: readonly string[], dimension: number): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    for (const part of parts([...new Set(keys)])) await this.#find(part, dimension, found);
    return found;
  }

  async put(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
    const sound = [...entries].filter(([, vector]) => isSound(vector));
    for (const part of parts(sound)) {
      await this.#exchange(
        true,
        (generation) =>
          part.map(([key, vector]) => {
            const { buffer, byteOffset, byteLength } = encodeVector(vector, this.#storage);
            const value = Buffer.from(buffer, byteOffset, byteLength);
            return ["SET", this.#keys.entry(generation, key), value, "PX", this.#ttl];
          }),
        (replies) => {
          for (const reply of replies) this.#noteFull(reply);
        },
      );
    }
  }

  async probe(space: string): Promise<string | undefined> {
    return this.#link.use("absence", (connection) => this.#generations.probe(connection, space));
  }

  async keepProbe(space: string, probe: string): Promise<string> {
    const kept = await this.#link.use("absence", (connection) =>
      this.#generations.keepProbe(connection, space, probe),
    );
    if (kept === undefined) this.#generations.owe(space, probe);
    return kept ?? probe;
  }

  async stats(): Promise<CacheStats> {
    const stats = await this.#link.use("none", async (connection) => {
      const generation = await this.#generations.current(connection);
      const { maxBytes } = this.#generations.server;
      const room = maxBytes === 0 ? {} : { maxBytes };
      if (generation === undefined) return { entries: 0, bytes: 0, ...room };
      return { ...(await sizesOf(connection, this.#keys.entries(generation))), ...room };
    });
    assert(stats !== undefined, "no answer is a fault");
    return stats;
  }

  async clear(): Promise<void> {
    await this.#link.use("none", async (connection) => {
      // First of all: from then on nobody finds an entry, whatever becomes of the rest.
      await connection.batch([["UNLINK", this.#keys.probes]]);
      this.#generations.forget();
      await removeKeys(connection, this.#keys.everything);
    });
  }

  news(): ReturnType<RedisLink["takeNews"]> {
    return this.#link.takeNews();
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  async #find(
    keys: readonly string[],
    dimension: number,
    found: Map<string, Float32Array>,
  ): Promise<void> {
    const broken: string[] = [];
    await this.#exchange(
      false,
      (generation) => {
        const names = keys.map((key) => this.#keys.entry(generation, key));
        return [["MGET", ...names], ...names.map((name) => ["PEXPIRE", name, this.#ttl])];
      },
      ([reply], generation, connection) => {
        for (const [index, bytes] of connection.list(reply).entries()) {
          const key = keys[index];
          if (key === undefined || !Buffer.isBuffer(bytes)) continue;
          const vector = decodeVector(bytes, dimension, this.#storage);
          if (vector === "broken") broken.push(this.#keys.entry(generation, key));
          else if (vector !== "coarser") found.set(key, vector);
        }
      },
    );
    if (broken.length === 0) return;
    await this.#link.use("any", (connection) => connection.batch([["UNLINK", ...broken]]));
  }

  /**
   * Sends commands about entries of the present generation, and hands on their answers; does nothing when the server is
   * away or there is no generation. When it turns out to be another one by now, they are sent once more.
   */
  async #exchange(
    writes: boolean,
    commandsOf: (generation: string) => readonly Command[],
    use: (replies: readonly Reply[], generation: string, connection: RedisConnection) => void,
  ): Promise<void> {
    await this.#link.use("any", async (connection) => {
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const generation = await this.#generations.join(connection, writes);
        if (generation === undefined) return;
        const check = this.#generations.check();
        const [named, ...replies] = await connection.batch([check, ...commandsOf(generation)]);
        if (this.#generations.isStill(generation, named)) {
          use(replies, generation, connection);
          return;
        }
      }
    });
  }

  #noteFull(reply: Reply): void {
    if (this.#isFullTold || !(reply instanceof Error) || !isFull(reply)) return;
    this.#isFullTold = true;
    this.#link.tell(
      "warning",
      `the embedding cache \`${this.#generations.address}\` has no room: new embeddings are not kept there. Raise its ` +
        "`maxmemory`, or let it forget with `maxmemory-policy volatile-lru`",
    );
  }
}

function* parts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += keysPerBatch) {
    yield items.slice(start, start + keysPerBatch);
  }
}
