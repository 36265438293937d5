import { randomBytes } from "node:crypto";
import { Fault } from "../../faults/index.ts";
import type { Command, RedisConnection, Reply } from "./connection.ts";
import { generationField, probeField, type RedisKeys } from "./keys.ts";
import { isFull } from "./trouble.ts";

/** What is known of the server since the last connection. */
interface ServerFacts {
  /** 0 when nothing bounds it. */
  readonly maxBytes: number;
}

/**
 * Entries belong to a generation, which lies in one key with the probes of all spaces. Whatever a server forgets (it
 * was restarted, cleared, or ran out of memory), probes and generation go together, and entries of a generation that
 * is gone are found by nobody. So no vector is ever taken that is not of a model whose probe was compared.
 */
export class Generations {
  readonly address: string;
  readonly #keys: RedisKeys;
  readonly #warn: (message: string) => void;
  /** Probes that this user of the cache goes by: they were compared, or nobody else's was there. */
  readonly #probes = new Map<string, string>();
  #generation: string | undefined;
  /** Another user has kept another probe for a space of ours meanwhile, and nobody has compared them. */
  #isForeign = false;
  #server: ServerFacts = { maxBytes: 0 };

  constructor(keys: RedisKeys, address: string, warn: (message: string) => void) {
    this.#keys = keys;
    this.address = address;
    this.#warn = warn;
  }

  get server(): ServerFacts {
    return this.#server;
  }

  /** Looks at a new connection: whether it can be used, and whether its generation is still ours. */
  async admit(connection: RedisConnection): Promise<void> {
    const [info] = await connection.batch([["INFO"]]);
    this.#server = this.#look(String(info));
    this.#generation = undefined;
    if (this.#probes.size > 0) await this.join(connection, true);
  }

  /** The generation whose entries may be used; undefined when there is none. Makes one for those who write. */
  async join(connection: RedisConnection, writes: boolean): Promise<string | undefined> {
    if (this.#isForeign) return undefined;
    if (this.#generation !== undefined) return this.#generation;
    if (writes || this.#probes.size > 0) await this.#keep(connection);
    else this.#generation = await this.current(connection);
    return this.#isForeign ? undefined : this.#generation;
  }

  /** The generation that the server has, whether or not it is ours. */
  async current(connection: RedisConnection): Promise<string | undefined> {
    const [generation] = await connection.batch([this.check()]);
    return textOf(generation);
  }

  /** Asks which generation the server has; also keeps the probes from being the least recently used. */
  check(): Command {
    return ["HGET", this.#keys.probes, generationField];
  }

  /** Whether the answer to `check` names this generation; if not, it must be joined anew. */
  isStill(generation: string, answer: Reply | undefined): boolean {
    const isSame = textOf(answer) === generation;
    if (!isSame && this.#generation === generation) this.#generation = undefined;
    return isSame;
  }

  async probe(connection: RedisConnection, space: string): Promise<string | undefined> {
    const [probe] = await connection.batch([["HGET", this.#keys.probes, probeField(space)]]);
    return textOf(probe);
  }

  /** Keeps a probe unless there is one, and gives the one that is kept; tries besides whether entries can be kept. */
  async keepProbe(connection: RedisConnection, space: string, probe: string): Promise<string> {
    const { trial } = this.#keys;
    await connection.batch([
      ["SET", trial, "1", "PX", "1000"],
      ["MGET", trial],
      ["PEXPIRE", trial, "1000"],
    ]);
    this.#probes.delete(space);
    this.#isForeign = false;
    await this.#keep(connection);
    const kept = await this.#keepOne(connection, space, probe);
    this.#probes.set(space, kept);
    return kept;
  }

  /** Remembers a probe that could not be kept because the server was away. */
  owe(space: string, probe: string): void {
    this.#probes.set(space, probe);
    this.#generation = undefined;
  }

  forget(): void {
    this.#probes.clear();
    this.#generation = undefined;
    this.#isForeign = false;
  }

  async #keepOne(connection: RedisConnection, space: string, probe: string): Promise<string> {
    const [, kept] = await this.#keepFields(connection, new Map([[space, probe]]));
    return kept ?? probe;
  }

  /** Makes the generation ours, with all probes that we go by; or finds that it is another's. */
  async #keep(connection: RedisConnection): Promise<void> {
    const [generation, ...kept] = await this.#keepFields(connection, this.#probes);
    this.#generation = generation;
    const isOurs = [...this.#probes.values()].every((probe, index) => probe === kept[index]);
    if (isOurs || this.#isForeign) return;
    this.#isForeign = true;
    this.#warn(
      `the embedding cache \`${this.address}\` was filled anew by others while it was away from here; it is used again ` +
        "by the next run, which compares the models",
    );
  }

  /** The generation and the probes of these spaces, as they are kept after this. */
  async #keepFields(
    connection: RedisConnection,
    probes: ReadonlyMap<string, string>,
  ): Promise<readonly (string | undefined)[]> {
    const { probes: key } = this.#keys;
    const fields = [generationField, ...[...probes.keys()].map(probeField)];
    const wanted = [randomBytes(8).toString("hex"), ...probes.values()];
    const look: Command = ["HMGET", key, ...fields];
    const [present] = await connection.batch([look]);
    // Something else under our name: not a hash, so nothing that could be kept in it.
    if (present instanceof Error) await connection.batch([["UNLINK", key]]);
    const found = present instanceof Error ? [undefined] : textsOf(connection, present);
    // A server without room for more, which refuses all that writes, can still be read.
    if (found.every((value) => value !== undefined)) return found;
    const set = fields.map((field, index) => ["HSETNX", key, field, wanted[index] ?? ""]);
    const replies = await connection.batch([["MULTI"], ...set, look, ["EXEC"]]);
    if (replies.some((reply) => reply instanceof Error && isFull(reply))) {
      const what = `the embedding cache \`${this.address}\` has no room, not even for a probe`;
      throw new Fault("cache.full", `${what}; raise its \`maxmemory\``, { retry: "later" });
    }
    return textsOf(connection, connection.list(replies.at(-1)).at(-1));
  }

  #look(info: string): ServerFacts {
    const fact = (name: string): string =>
      new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
    const refuse = (what: string): Fault =>
      new Fault("cache.unusable", `the embedding cache \`${this.address}\` ${what}`);
    // Valkey has a name of its own for it.
    const mode = fact("redis_mode") || fact("server_mode");
    if (mode === "cluster" || mode === "sentinel") {
      throw refuse(`is a Redis ${mode}, which is not supported; name a server that stands alone`);
    }
    if (fact("role") === "slave") {
      throw refuse("is a replica that cannot be written; name the primary in `cache.url`");
    }
    return { maxBytes: Number(fact("maxmemory") || 0) };
  }
}

function textOf(reply: Reply | undefined): string | undefined {
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}

function textsOf(
  connection: RedisConnection,
  reply: Reply | undefined,
): readonly (string | undefined)[] {
  return connection.list(reply).map(textOf);
}
