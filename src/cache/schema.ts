import type { DatabaseKind } from "../sqlite/index.ts";

/** What a cache file is, version by version. A released migration is never edited; a change is a new one. */
export const cacheKind: DatabaseKind = {
  noun: "embedding cache",
  // "SLEC"
  applicationId: 0x534c4543,
  migrations: [
    { version: 1, up: (database) => database.exec(version1) },
    { version: 2, up: (database) => database.exec(version2) },
  ],
  faults: {
    corrupt: "cache.unusable",
    foreign: "cache.unusable",
    full: "cache.full",
    unwritable: "cache.unusable",
  },
  remedies: {
    corrupt: "nothing was changed; move it away, and a new one is made",
    foreign: "choose another `cache.path`",
  },
};

/**
 * Vectors lie in the order in which they came, apart from their keys, which are random: so a batch of vectors is
 * written in one place, vectors of one age leave whole pages free, and `used` changes in small rows only.
 */
const version1 = `
CREATE TABLE entries (
  key  BLOB PRIMARY KEY, -- 32 bytes
  id   INTEGER NOT NULL, -- of the vector
  used INTEGER NOT NULL  -- grows with every batch that is put or touched
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_used ON entries (used, id);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT; -- float32
CREATE TABLE probes (space TEXT PRIMARY KEY, probe TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * Since float16. A page holds whole rows: of vectors of 1,024 numbers in float16, half a page and some bytes, it would
 * hold one, and half of it would be wasted. So such bytes lie here.
 */
const version2 = `
CREATE TABLE tails (id INTEGER PRIMARY KEY, tail BLOB NOT NULL) STRICT; -- of the vector of this number
`;
