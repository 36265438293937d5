import { describe, expect, test } from "vitest";
import { goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

describe("state and cache", () => {
  test.each<[string, string, RegExp]>([
    [
      "one path for both",
      `${goodFile}state: { type: sqlite, path: both.sqlite }\ncache: { type: sqlite, path: ./both.sqlite }\n`,
      /^p\.yaml:\d+:30: .*`both\.sqlite`, .*`cache\.path`/,
    ],
    [
      "the cache's default path for the state",
      `${goodFile}state: { type: sqlite, path: .sluice/cache.sqlite }\n`,
      /^p\.yaml:\d+:30: .*another `state\.path`/,
    ],
    [
      "a name whose state would be the cache",
      goodFile.replace("name: handbook", "name: cache"),
      /^p\.yaml:2:7: .*another `state\.path`/,
    ],
  ])("cannot be one file: %s", async (_, text, expected) => {
    const { told, config } = await readText(text);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(expected);
    expect(config).toBeUndefined();
  });

  test("may lie anywhere else, and there may be none", async () => {
    for (const more of [
      "state: { type: sqlite, path: .sluice/cache.db }\n",
      "cache: { type: none }\nstate: { type: sqlite, path: .sluice/cache.sqlite }\n",
    ]) {
      expect((await readText(goodFile + more)).told).toEqual([]);
    }
  });

  test("a state in memory draws a warning where a sink outlives it", async () => {
    const { told, warned } = await readText(`${goodFile}state: { type: memory }\n`);
    expect(told).toEqual([]);
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatch(/^p\.yaml:\d+:16: .*`search`.*refused/);
    expect((await readText(goodFile)).warned).toEqual([]);
  });
});
