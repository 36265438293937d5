import type { DatabaseSync } from "node:sqlite";
import type { FaultCodeName } from "../faults/index.ts";

/** One step of a schema: brings a database of the version before it to `version`. */
export interface Migration {
  readonly version: number;
  /** Runs inside a transaction that also records the version. */
  readonly up: (database: DatabaseSync) => void;
}

/** What tells one kind of database file from every other, and what to say when something is wrong with it. */
export interface DatabaseKind {
  /** As messages name it: `state file`. */
  readonly noun: string;
  /** Stored in the file's header, so that other applications' databases are recognised. */
  readonly applicationId: number;
  /** In order of their versions, from 1 without a gap. */
  readonly migrations: readonly Migration[];
  readonly faults: {
    readonly corrupt: FaultCodeName;
    readonly foreign: FaultCodeName;
    readonly full: FaultCodeName;
    readonly unwritable: FaultCodeName;
  };
  /** What to do about a damaged file, and about a file that is not ours: the end of a message. */
  readonly remedies: { readonly corrupt: string; readonly foreign: string };
}
