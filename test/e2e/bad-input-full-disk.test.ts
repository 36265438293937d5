import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { makePlace, type Place } from "./support/place.ts";
import { markdown, randomFrom } from "./support/prose.ts";
import { mountSmallDisk, noSmallDisk } from "./support/small-disk.ts";
import { idsByDocument, readIndex, type StoredRow } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const documents = 12;
/** Documents from here on are not edited. */
const edited = documents / 2;

async function write(place: Place, from: number, to: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  for (let file = from; file < to; file += 1) {
    await place.write(`page-${file}.md`, markdown(random, 30));
  }
}

function numberOf({ document }: StoredRow): number {
  return Number(/\d+/.exec(document)?.[0]);
}

/** The records of documents that nobody touched. */
function untouched(index: ReadonlyMap<string, StoredRow>): StoredRow[] {
  const rows = [...index.values()];
  return rows.filter((row) => numberOf(row) >= edited && numberOf(row) < documents);
}

const parts = {
  state: { code: "state.full", folderOf: (place: Place) => dirname(place.state) },
  cache: { code: "cache.full", folderOf: (place: Place) => join(place.folder, "cache") },
  sink: { code: "sink.full", folderOf: (place: Place) => place.index },
} as const;

const elsewhere = [
  "state.path=fresh.sqlite",
  "cache.path=fresh-cache.sqlite",
  "sinks.search.uri=fresh",
];

const reason = noSmallDisk === undefined ? "" : ` (skipped: ${noSmallDisk})`;

describe.skipIf(noSmallDisk !== undefined)(`a full disk${reason}`, () => {
  test.each([
    ["state", 0],
    ["state", 100_000],
    ["cache", 0],
    ["cache", 1_000_000],
    ["sink", 0],
    ["sink", 300_000],
  ] as const)(
    "under the %s, with %i bytes left, ends the run and loses nothing",
    async (part, room) => {
      const { code, folderOf } = parts[part];
      const more = ["chunker: { type: structure, max_tokens: 128 }"];
      const place = await makePlace({ more, sinks: { search: 256 } });
      const disk = await mountSmallDisk(folderOf(place), 48);
      await write(place, 0, documents, 1);
      expect((await sync(place.file)).exitCode).toBe(0);
      const before = await readIndex(place.index, "search");

      await write(place, 0, edited, 2);
      await write(place, documents, documents + 6, 3);
      await rm(join(place.docs, "page-0.md"));
      expect((await sync(place.file, {}, { set: elsewhere })).exitCode).toBe(0);
      const fresh = await readIndex(join(place.folder, "fresh"), "search");
      await disk.fill(room);
      const { exitCode, summary } = await sync(place.file);
      expect(exitCode).toBe(5);
      expect(summary.status).toBe("failed");
      const told = [summary.error, ...summary.failures].find((fault) => fault?.code === code);
      expect(told?.message).toMatch(/full.*make room and run again/i);
      const during = await readIndex(place.index, "search");
      expect(untouched(during)).toStrictEqual(untouched(before));
      const present = new Set(during.keys());
      for (const [document, ids] of idsByDocument(before)) {
        const whole =
          ids.isSubsetOf(present) || idsByDocument(fresh).get(document)?.isSubsetOf(present);
        expect(whole, document).toBe(true);
      }

      await disk.empty();
      expect((await sync(place.file)).exitCode).toBe(0);
      expect(await readIndex(place.index, "search")).toStrictEqual(fresh);
    },
  );
});
