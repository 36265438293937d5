import type { FaultLike } from "./fault.ts";
import type { JsonObject } from "./json.ts";

/**
 * A piece of a parsed document, in reading order.
 *
 * The concatenation of the texts of all blocks is the text of the document as a reader should see it. A block is the
 * unit that a chunker tries to keep together; `kind` says how it may be cut when it must be.
 */
export interface Block {
  /** Not empty, well-formed UTF-16 (no lone surrogates), `\n` as line end. */
  readonly text: string;
  /**
   * `paragraph`, `list` and `quote` may be cut between sentences, `code` between lines, `table` between rows. The text
   * of a `heading` block is the heading itself; it also stands at the end of `headings`.
   */
  readonly kind: "heading" | "paragraph" | "list" | "quote" | "code" | "table";
  /** The heading path in which the block stands, outermost first; includes the block itself if it is a heading. */
  readonly headings: readonly string[];
  /** 1-based page, slide or chapter, where the format has them. */
  readonly page?: number;
  /** The language of a code block, as the document names it (`ts`, `python`). */
  readonly language?: string;
  /** For `table`: how many lines of `text`, from the first, are the header to repeat in every part of a cut table. */
  readonly headerLines?: number;
}

/** What a parser says about a document besides its blocks. At most one, and before the first block that depends on it. */
export interface DocumentProperties {
  readonly title?: string;
  /** From front matter or document properties. Never sets the fixed fields of a record. */
  readonly metadata?: JsonObject;
}

/** Something worth telling that lost nothing the user asked for, or says what was lost (invalid bytes replaced …). */
export interface DocumentWarning {
  /** `replaced-characters`, `suspect-encoding`, `truncated`, `no-text`, `front-matter` … */
  readonly code: string;
  readonly message: string;
}

/** What a parser yields. */
export type ParserEvent =
  | { readonly kind: "properties"; readonly properties: DocumentProperties }
  | { readonly kind: "block"; readonly block: Block }
  | { readonly kind: "warning"; readonly warning: DocumentWarning };

/** The content of a document, opened only when the engine needs it. */
export type DocumentContent =
  | {
      readonly kind: "bytes";
      /**
       * Opens the content and streams it. Called at most once at a time per reference, and again for a retry. Rejects
       * with a `document` fault (`source.changed`, `source.vanished`, `source.unreadable` …). Stops on abort.
       */
      open(signal: AbortSignal): AsyncIterable<Uint8Array>;
      /** The size in bytes as the listing saw it; a hint for limits, not a promise. */
      readonly sizeBytes?: number;
    }
  /** Rows that need no parser. `content` names this version of the blocks, as a content hash would. */
  | {
      readonly kind: "blocks";
      open(signal: AbortSignal): AsyncIterable<ParserEvent>;
      readonly sizeBytes?: number;
    };

/** A document as a source lists it: what is known without opening it. */
export interface DocumentRef {
  /** Stable within the source, not empty; the engine prefixes it with the source's name (`docs:guide/install.md`). */
  readonly id: string;
  /** Equal revisions mean equal content. Different revisions may still have equal content; a hash then decides. */
  readonly revision: string;
  /**
   * The revision cannot yet tell two contents apart (a file written within the clock's grain). The engine then stores
   * no revision, so that the next run reads the content again.
   */
  readonly provisional?: boolean;
  /** A cheap stand-in for the hash of `metadata`, `title` and `uri`, if the source has one. */
  readonly metadataRevision?: string;
  /** A version that grows with every change; an event with a smaller order than the one seen is dropped. */
  readonly order?: bigint;
  /** An IANA media type, lower case, without parameters: `text/markdown`. Chooses the parser. */
  readonly mediaType: string;
  readonly title?: string;
  readonly uri?: string;
  /** Goes to every record of the document. Front matter is merged over it. */
  readonly metadata: JsonObject;
  readonly content: DocumentContent;
}

/** A saved place in a source: any JSON value the source understands. */
export type Cursor = JsonObject;

/**
 * What a source says. The order is part of the meaning:
 * `listing` (document | deletion | failure | checkpoint)* `end` (…changes while following, or the next `listing`)*.
 */
export type SourceEvent =
  /** A listing begins. `resumed`: it goes on from the cursor that `read` was given, documents before it are not repeated. */
  | { readonly kind: "listing"; readonly resumed: boolean }
  | { readonly kind: "document"; readonly document: DocumentRef }
  /** The source vouches that this document is gone. */
  | { readonly kind: "deletion"; readonly documentId: string; readonly order?: bigint }
  /** This document exists but could not be described. It is neither read nor deleted. */
  | { readonly kind: "failure"; readonly documentId: string; readonly fault: FaultLike }
  /** Everything whose id begins with this prefix is unknown (an unreadable folder); none of it is deleted. */
  | { readonly kind: "failure"; readonly prefix: string; readonly fault: FaultLike }
  /** A place to go on from; saved once every event before it is settled or durably owed. */
  | { readonly kind: "checkpoint"; readonly cursor: Cursor }
  /**
   * The listing is over. `complete`: what was not listed (and not under an unknown prefix) does not exist. When the
   * listing was resumed, the source has reported, as `deletion` events, whatever vanished among the documents listed
   * before the cursor; a source that cannot must ignore the cursor and begin anew with `resumed: false`.
   */
  | { readonly kind: "end"; readonly listing: "complete" | "partial" };

/** The answer to a lookup by id. */
export type LookupEvent =
  | { readonly kind: "document"; readonly document: DocumentRef }
  | { readonly kind: "deletion"; readonly documentId: string; readonly order?: bigint }
  | { readonly kind: "failure"; readonly documentId: string; readonly fault: FaultLike };
