import type { Cursor, DocumentRef, LookupEvent, ParserEvent, SourceEvent } from "./document.ts";

/** What every component has. */
export interface Component {
  /**
   * Exercises the real path (lists one entry, embeds one text, opens the database) and rejects with the fault that a
   * run would meet. Called by `doctor` and before a run.
   */
  check(signal: AbortSignal): Promise<void>;
  /**
   * What it has learned that a person should know and that stops nothing: the device it runs on, a server's version
   * known to be wrong. Asked once it is open; `doctor` shows it, and a run tells it at its start.
   */
  notes?(): readonly ComponentNote[];
  /** Releases everything. May be called twice, also while calls are in flight; never rejects. */
  close(): Promise<void>;
}

/** One sentence about a component; a warning says what to do. */
export interface ComponentNote {
  readonly level: "info" | "warning";
  readonly message: string;
}

/** Lists documents. Called by the engine, one `read` at a time. */
export interface Source extends Component {
  /**
   * Where the documents come from (root, bucket, table), as configured. When it differs from the one stored, absence
   * proves nothing: deletions need `--allow-deletions`.
   */
  readonly identity: string;
  /**
   * What to tell a person when nothing was ever found there: where and for what it looked, and which settings to check.
   */
  readonly whenEmpty?: string;
  /**
   * Streams events in the order that `SourceEvent` describes. `from` is the last cursor saved, if any. With `follow`
   * the stream goes on after `end` until the signal aborts, without a gap; otherwise it ends after `end`.
   * A listing that cannot be read at all rejects with a `component` fault: it never ends `complete`.
   */
  read(
    options: { readonly from?: Cursor; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncIterable<SourceEvent>;
  /** Describes named documents again: one event for each id, in any order. */
  lookup(documentIds: readonly string[], signal: AbortSignal): AsyncIterable<LookupEvent>;
  /** Everything up to this cursor is settled or durably owed: a log may be trimmed. */
  acknowledge?(cursor: Cursor, signal: AbortSignal): Promise<void>;
}

/** Turns the bytes of one document into blocks. */
export interface Parser {
  /** The media types it reads: `text/markdown`, or `text/*`. A more exact match wins. */
  readonly mediaTypes: readonly string[];
  /** Holds only a window of the content, so that `limits.max_document_mb` does not apply. */
  readonly streams?: boolean;
  /**
   * Streams properties, blocks and warnings in reading order. Rejects with a `document` fault on content it cannot
   * read. Deterministic. Stops on abort; the engine adds the time limit.
   */
  parse(
    document: DocumentRef,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncIterable<ParserEvent>;
  close(): Promise<void>;
}
