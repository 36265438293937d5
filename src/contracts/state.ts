import type { Cursor } from "./document.ts";
import type { FaultScope, RetryAdvice } from "./fault.ts";
import type { Json, JsonObject } from "./json.ts";

/** A document of a pipeline: the name of its source and its id there. */
export interface DocumentKey {
  readonly source: string;
  readonly id: string;
}

/**
 * What one target (a collection's incarnation) holds of one document.
 * `settled`: exactly these ids, all of this version. `begun`: at most these ids, of any version; a write or delete may
 * have stopped anywhere.
 */
export interface TargetRow {
  readonly status: "begun" | "settled";
  /** Empty while begun. */
  readonly version: string;
  /** Record ids, lower-case UUIDs. */
  readonly ids: readonly string[];
}

/** What is known of one document. */
export interface DocumentRow extends DocumentKey {
  /** The source's revision of the version last read; undefined when it must be read again whatever the source says. */
  readonly revision: string | undefined;
  /** The hash of the content last read; empty when it never was. */
  readonly content: string;
  /** The largest `order` seen, as decimal digits. */
  readonly order: string | undefined;
  /** The listing generation that last saw the document. */
  readonly seen: number;
  /** The source vouched that it is gone, and the deletion is not carried out yet (owed or withheld). */
  readonly gone: boolean;
  /**
   * Some target does not hold the newest version: look the document up again even if no listing brings it. Of a
   * document that is gone: the guard let it go, and some target still holds it; otherwise its deletion is withheld.
   */
  readonly owed: boolean;
  readonly targets: ReadonlyMap<string, TargetRow>;
  readonly failure: FailureRow | undefined;
  readonly counted: CountedRow | undefined;
}

/**
 * As what a run counted a document: each once, by what became of it, however often it is listed. Kept here and not in
 * memory, for there may be very many.
 */
export interface CountedRow {
  /** The `fence` of the session; what an earlier one counted says nothing about this one. */
  readonly session: number;
  /** `listed`: nothing became of it yet. `passing`: it failed, and is tried again before the run ends. */
  readonly outcome: "listed" | "passing" | "added" | "updated" | "unchanged" | "failed";
}

/**
 * A dead letter: why a document's newest version is not in the index. Also why a prefix (a folder) could not be listed:
 * then its key has the prefix in the place of an id.
 */
export interface FailureRow {
  readonly stage: "list" | "read" | "parse" | "chunk" | "embed" | "write";
  readonly code: string;
  readonly message: string;
  readonly retry: RetryAdvice;
  readonly scope: FaultScope;
  /** The revision and the recipe that failed; while both stay, a `never` failure is not tried again. */
  readonly revision: string;
  readonly recipe: string;
  /** How many runs have tried. */
  readonly attempts: number;
  /** The `fence` of the session since which it has been failing, in whatever version. */
  readonly since: number;
  /** Wall-clock milliseconds of the first and the last failure. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The user has seen it; it no longer makes a run end with 3. */
  readonly accepted: boolean;
  /** Not one document: everything whose id begins with the key's is unknown. */
  readonly prefix?: true;
}

/** What is known of a source. */
export interface SourceRow {
  readonly name: string;
  /** Where its documents came from at the last complete listing. */
  readonly identity: string;
  readonly cursor: Cursor | undefined;
  /** The current listing generation; grows with every fresh listing. */
  readonly generation: number;
  /** Whether the current generation has ended complete and its sweep is done. */
  readonly swept: boolean;
  /** Wall-clock milliseconds of the last complete listing. */
  readonly completeAt: number | undefined;
}

/** What is known of a target. */
export interface TargetInfo {
  /** The collection's incarnation (and namespace or tenant). */
  readonly target: string;
  /** The sink's name in the file, when last used; for people. */
  readonly sink: string;
  readonly address: string;
  readonly dimension: number;
  /** The hash of the embedding space. */
  readonly space: string;
  /** The sequence number in the marker that is known to be written, and the last one that was tried. */
  readonly markerSeq: number;
  readonly attemptedSeq: number;
}

/** A run in the history. */
export interface RunRow {
  readonly id: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** `running` until it ends; for ever, when its process died. */
  readonly status: "running" | "succeeded" | "partial" | "refused" | "failed" | "interrupted";
  /** The summary as `run --json` prints it. */
  readonly summary: JsonObject | undefined;
}

/** A change of the state. All mutations of one `commit` take effect together, in order, or not at all. */
export type Mutation =
  /** Creates or changes a document's row; fields not named stay. New rows start with empty hashes and no targets. */
  | {
      readonly kind: "document";
      readonly key: DocumentKey;
      readonly set: Partial<Omit<DocumentRow, "source" | "id" | "targets">>;
    }
  /** Before the first write or delete of a document at a target; `ids` is old ∪ new. Sets `owed` of the document. */
  | {
      readonly kind: "begin";
      readonly key: DocumentKey;
      readonly target: string;
      readonly ids: readonly string[];
    }
  /** After every write and delete was acknowledged. */
  | {
      readonly kind: "settle";
      readonly key: DocumentKey;
      readonly target: string;
      readonly version: string;
      readonly ids: readonly string[];
    }
  /** The target holds nothing of the document any more. */
  | { readonly kind: "clear"; readonly key: DocumentKey; readonly target: string }
  /** Removes the document's row; it must have no target rows left. */
  | { readonly kind: "forget"; readonly key: DocumentKey }
  | { readonly kind: "source"; readonly row: SourceRow }
  /** Removes the source's row; its documents must have been forgotten. */
  | { readonly kind: "forget-source"; readonly name: string }
  /** Moves the source's row and all its documents to another name that has neither. */
  | { readonly kind: "rename-source"; readonly from: string; readonly to: string }
  | { readonly kind: "target"; readonly info: TargetInfo }
  /** Removes a target and what every document holds there. */
  | { readonly kind: "forget-target"; readonly target: string }
  /** Counts deletions for the guard. Entries older than the guard's window may be dropped. */
  | {
      readonly kind: "deletions";
      readonly source: string;
      readonly at: number;
      readonly count: number;
    }
  | { readonly kind: "run"; readonly row: RunRow }
  /** Small named values: the probe of a space, the last recipe. */
  | { readonly kind: "value"; readonly key: string; readonly value: Json };

/** Which documents to page through. Conditions are joined by "and"; pages come in the order of (source, id). */
export interface DocumentQuery {
  readonly source?: string;
  /** Last seen by an earlier generation than this. */
  readonly seenBefore?: number;
  readonly gone?: boolean;
  readonly owed?: boolean;
  /** With a failure (`true`), or without. */
  readonly failed?: boolean;
  /** With a row for this target. */
  readonly target?: string;
  /** Rows a page; 500 when left out. */
  readonly pageSize?: number;
}

/**
 * An open state. One writing session per pipeline at a time; reading sessions are free. `lookup` and `pages` see
 * everything committed before they were called.
 */
export interface StateSession {
  /** A random UUID made with the state; another state has another one. */
  readonly stateId: string;
  /** Grows with every writing session. */
  readonly fence: number;
  /** Aborts when the lease is lost; nothing may be written afterwards. */
  readonly lost: AbortSignal;
  /** One row (or undefined) per key, in the order of the keys. */
  lookup(keys: readonly DocumentKey[]): Promise<(DocumentRow | undefined)[]>;
  /**
   * Applies the mutations atomically. Commits of concurrent callers may be grouped. `durable` (the default) survives
   * loss of power when it resolves; otherwise it survives the death of the process, and any later durable commit makes
   * it durable too. Order is kept between commits.
   */
  commit(mutations: readonly Mutation[], options?: { readonly durable?: boolean }): Promise<void>;
  /** Pages through documents; stable while rows already passed are changed or removed. */
  pages(query: DocumentQuery): AsyncIterable<readonly DocumentRow[]>;
  /** Documents of the query; `indexed` counts only those that at least one target holds. */
  count(query: DocumentQuery & { readonly indexed?: boolean }): Promise<number>;
  sources(): Promise<readonly SourceRow[]>;
  targets(): Promise<readonly TargetInfo[]>;
  /** Deletions counted for a source at or after this wall-clock time (entries of the future included). */
  deletionsSince(source: string, at: number): Promise<number>;
  /** Newest first. */
  runs(limit: number): Promise<readonly RunRow[]>;
  value(key: string): Promise<Json | undefined>;
  /** Releases the lease. May be called twice. */
  close(): Promise<void>;
}

/** Where states are kept. */
export interface StateStore {
  /** For people and messages. */
  readonly address: string;
  /**
   * Opens the state of a pipeline. `write` creates it if needed and takes the lease, or rejects with `state.locked`.
   * `read` never creates: undefined when there is no state yet. `previously` names the pipeline whose state is taken
   * over after a rename. Corrupt or foreign files reject with `state.corrupt` or `state.foreign` and stay untouched.
   */
  open(
    options: {
      readonly pipeline: string;
      readonly previously?: string;
      readonly mode: "write";
    },
    signal: AbortSignal,
  ): Promise<StateSession>;
  open(
    options: { readonly pipeline: string; readonly previously?: string; readonly mode: "read" },
    signal: AbortSignal,
  ): Promise<StateSession | undefined>;
  /** Whether a writing session is open now, in this process or another. Keeps nobody from opening one. */
  isHeld(): Promise<boolean>;
  close(): Promise<void>;
}
