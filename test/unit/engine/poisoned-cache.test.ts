import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { sqliteCache, type Storage } from "../../../src/cache/index.ts";
import { Rig } from "./rig/rig.ts";

const native = 8;

/** Rubbish of every kind, one for each entry; the last entry stays. */
const rubbish = [
  Buffer.alloc(0),
  Buffer.alloc(native * 4 - 1, 1),
  Buffer.alloc(native * 4),
  Buffer.alloc(native * 4, 0xff),
  Buffer.from("hello"),
  Buffer.alloc(native * 2 + 1, 0x7c),
];

function vectors({ sink }: Rig): string[][] {
  return sink.records.map(({ vector }) => [...vector].map((value) => value.toFixed(3))).toSorted();
}

test.each<Storage>(["float32", "float16"])(
  "entries in a %s cache that were damaged are embedded again, and are whole afterwards",
  async (storage) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-poison-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "cache.sqlite");
    const lines = [...rubbish.keys(), "last"].map((line) => `line ${line}`);
    const run = async (document: string): Promise<Rig> => {
      const rig = new Rig();
      rig.cache = sqliteCache({ path, maxMb: 8, storage });
      rig.source.put(document, lines.join("\n"));
      expect((await rig.run()).exitCode).toBe(0);
      expect(rig.sink.texts()).toHaveLength(lines.length);
      return rig;
    };
    const first = await run("a");
    expect(first.embedder.texts).toHaveLength(lines.length);

    const database = new DatabaseSync(path);
    const change = database.prepare("UPDATE vectors SET vector = ? WHERE id = ?");
    for (const [index, bytes] of rubbish.entries()) change.run(bytes, index + 1);
    database.close();
    const second = await run("b");
    expect(second.embedder.texts).toHaveLength(rubbish.length);
    const third = await run("c");
    expect(third.embedder.texts).toEqual([]);
    expect(vectors(third)).toEqual(vectors(first));
  },
);
