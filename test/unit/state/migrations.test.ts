import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import {
  createDatabase,
  type DatabaseKind,
  openForReading,
  openForWriting,
} from "../../../src/sqlite/index.ts";
import { stateKind } from "../../../src/state/schema.ts";
import { temporaryFolder } from "./support.ts";

const first: DatabaseKind = {
  ...stateKind,
  applicationId: 0x54455354,
  migrations: [{ version: 1, up: (database) => database.exec("CREATE TABLE people (name TEXT)") }],
};
const second: DatabaseKind = {
  ...first,
  migrations: [
    ...first.migrations,
    { version: 2, up: (database) => database.exec("ALTER TABLE people ADD COLUMN born INTEGER") },
    { version: 3, up: (database) => database.exec("UPDATE people SET born = 1815") },
  ],
};

function makeFirst(): string {
  const path = join(temporaryFolder(), "test.sqlite");
  createDatabase(first, path, (database) => database.exec("INSERT INTO people VALUES ('Ada')"));
  return path;
}

function read(path: string) {
  const database = new DatabaseSync(path, { readOnly: true });
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  const people = database.prepare("SELECT * FROM people").all();
  database.close();
  return { version, people: people.map((row) => ({ ...row })) };
}

test("an older schema is brought to the current one, step by step, with its rows", () => {
  const path = makeFirst();
  openForWriting(second, path).close();
  expect(read(path)).toStrictEqual({ version: 3, people: [{ name: "Ada", born: 1815 }] });
  openForWriting(second, path).close();
  expect(read(path).version).toBe(3);
});

test("a migration that fails leaves the file as it was", () => {
  const path = makeFirst();
  const broken: DatabaseKind = {
    ...second,
    migrations: [
      ...second.migrations,
      { version: 4, up: (database) => database.exec("UPDATE nobody SET born = 1") },
    ],
  };
  expect(() => openForWriting(broken, path)).toThrow("nobody");
  expect(read(path)).toStrictEqual({ version: 1, people: [{ name: "Ada" }] });
});

test("a newer schema is refused", () => {
  const path = makeFirst();
  openForWriting(second, path).close();
  expect(() => openForWriting(first, path)).toThrow("schema version 3, newer than the 1");
  expect(() => openForReading(first, path)).toThrow("schema version 3, newer than the 1");
});

test("an older schema is not read before a writer has brought it up to date", () => {
  const path = makeFirst();
  expect(() => openForReading(second, path)).toThrow("schema version 1");
});
