import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { sqliteCache } from "../../../src/cache/index.ts";
import { entries, temporaryFolder } from "./support.ts";

test("a cache of the first version keeps its entries and probes, and takes new ones", async () => {
  const path = join(temporaryFolder(), "cache.sqlite");
  const old = sqliteCache({ path, maxMb: 8 });
  const stored = entries(0, 50, 64);
  await old.put(stored);
  await old.keepProbe("a", "mine");
  await old.close();
  // What the first version made: the same without the table of tails.
  const database = new DatabaseSync(path);
  database.exec("DROP TABLE tails; PRAGMA user_version = 1");
  database.close();
  const cache = sqliteCache({ path, maxMb: 8, storage: "float16" });
  onTestFinished(() => cache.close());
  await cache.put(entries(100, 10, 1024));
  expect(await cache.get([...stored.keys()], 64)).toEqual(stored);
  const added = entries(100, 10, 1024);
  expect(await cache.get([...added.keys()], 1024)).toEqual(added);
  expect(await cache.probe("a")).toBe("mine");
});
