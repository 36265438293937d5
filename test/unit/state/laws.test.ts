import { closeSync, copyFileSync, cpSync, existsSync, openSync, rmSync } from "node:fs";
import { statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as vitest from "vitest";
import type { StateStore } from "../../../src/contracts/index.ts";
import { localDisk } from "../../../src/sqlite/index.ts";
import { memoryStateStore, sqliteStateStore } from "../../../src/state/index.ts";
import { registerLaws } from "../../../src/testkit/run-laws.ts";
import type { StatePlace } from "../../../src/testkit/state-harness.ts";
import { stateStoreLaws } from "../../../src/testkit/state-laws.ts";
import { temporaryFolder } from "./support.ts";

/** A state file, and what of it has reached the disk. A crash moves the place on to a copy, which nobody holds open. */
class SqlitePlace implements StatePlace {
  readonly #folder = temporaryFolder();
  readonly #stores: StateStore[] = [];
  #incarnation = 0;

  get path(): string {
    return join(this.#folder, `${this.#incarnation}.sqlite`);
  }

  async store(): Promise<StateStore> {
    const { path } = this;
    const disk = {
      ...localDisk,
      async sync() {
        for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, `${path}.synced${suffix}`);
      },
    };
    const store = sqliteStateStore({ path, disk });
    this.#stores.push(store);
    return store;
  }

  /** Goes on with what the process had written, or only with what had been synced. */
  crash(losePower: boolean): void {
    const from = losePower ? `${this.path}.synced` : this.path;
    this.#incarnation += 1;
    for (const suffix of ["", "-wal"]) {
      if (existsSync(from + suffix)) cpSync(from + suffix, this.path + suffix);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
  }
}

const sqlite = stateStoreLaws<SqlitePlace>({
  async place(context) {
    const place = new SqlitePlace();
    context.defer(() => place.close());
    return place;
  },
  async crash(place) {
    place.crash(false);
  },
  async losePower(place) {
    place.crash(true);
  },
  async damage(place) {
    const descriptor = openSync(place.path, "r+");
    const half = Math.floor(statSync(place.path).size / 2);
    writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, 4_096);
    closeSync(descriptor);
    truncateSync(place.path, half);
  },
  async foreign(place) {
    rmSync(place.path, { force: true });
    const database = new DatabaseSync(place.path);
    database.exec("CREATE TABLE customers (name TEXT)");
    database.close();
  },
});

class MemoryPlace implements StatePlace {
  readonly inner = memoryStateStore();

  async store(): Promise<StateStore> {
    return this.inner;
  }
}

const memory = stateStoreLaws<MemoryPlace>({
  async place() {
    return new MemoryPlace();
  },
  async crash(place) {
    place.inner.crash();
  },
  async losePower(place) {
    place.inner.crash({ losePower: true });
  },
  notSupported: {
    damage: "memory has no files that could be damaged",
    foreign: "memory has no files that could be foreign",
  },
});

const runner = { describe: vitest.describe, it: vitest.it };
registerLaws(sqlite, runner, { title: "the sqlite state store" });
registerLaws(memory, runner, { title: "the memory state store" });
