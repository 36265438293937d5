import type { DatabaseKind } from "../sqlite/index.ts";

/** What a state file is, version by version. A released migration is never edited; a change is a new one. */
export const stateKind: DatabaseKind = {
  noun: "state file",
  // "SLST"
  applicationId: 0x534c5354,
  migrations: [
    { version: 1, up: (database) => database.exec(version1) },
    { version: 2, up: (database) => database.exec(version2) },
  ],
  faults: {
    corrupt: "state.corrupt",
    foreign: "state.foreign",
    full: "state.full",
    unwritable: "state.unwritable",
  },
  remedies: {
    corrupt:
      "nothing was changed; restore it from a backup, or move it away and run `sluice adopt --sink NAME` to rebuild it",
    foreign: "choose another `state.path`",
  },
};

/**
 * Documents have a number, so that what targets hold of them needs no second copy of their ids. The partial indexes
 * keep the few documents that need work in page order; `seen` has none, because every run changes it in every row.
 */
const version1 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
  document INTEGER PRIMARY KEY,
  source   TEXT NOT NULL,
  id       TEXT NOT NULL,
  revision TEXT,
  content  TEXT NOT NULL DEFAULT '',
  "order"  TEXT,
  seen     INTEGER NOT NULL DEFAULT 0,
  gone     INTEGER NOT NULL DEFAULT 0,
  owed     INTEGER NOT NULL DEFAULT 0,
  failure  TEXT, -- JSON
  UNIQUE (source, id)
) STRICT;
CREATE INDEX documents_owed ON documents (source, id) WHERE owed = 1;
CREATE INDEX documents_gone ON documents (source, id) WHERE gone = 1;
CREATE INDEX documents_failed ON documents (source, id) WHERE failure IS NOT NULL;

CREATE TABLE target_names (
  target INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never given out again
  name   TEXT NOT NULL UNIQUE,
  info   TEXT -- JSON; none when only documents name the target
) STRICT;

CREATE TABLE targets (
  document INTEGER NOT NULL,
  target   INTEGER NOT NULL,
  settled  INTEGER NOT NULL,
  version  TEXT NOT NULL,
  ids      BLOB NOT NULL, -- 16 bytes each
  PRIMARY KEY (document, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (name TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT;

CREATE TABLE deletions (
  entry  INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  at     REAL NOT NULL,
  count  INTEGER NOT NULL,
  UNIQUE (source, at)
) STRICT;

CREATE TABLE runs (entry INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, row TEXT NOT NULL) STRICT;

CREATE TABLE "values" (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** As what a run counted each document; there is no outcome where none did. */
const version2 = `
ALTER TABLE documents ADD COLUMN session INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN outcome TEXT;
`;
