import { AssertionError } from "node:assert";
import type { DocumentRef, LookupEvent, Source, SourceEvent } from "../contracts/index.ts";
import { checkEqual, checkThat, collect } from "./check.ts";
import type { LawContext, LawHarness } from "./law.ts";

/** Where a source reads from. */
export interface SourcePlace {
  /** Makes a source that reads here; each call another one. The place closes what it made when the law is over. */
  source(): Promise<Source>;
  /**
   * Creates or replaces a document whose content is this text, and gives its id. Names look like `folder/name`; equal
   * names give equal ids. A source that reads folders may add an ending.
   */
  put(name: string, text: string): Promise<string>;
  /** Removes a document. */
  remove(name: string): Promise<void>;
}

/** How the laws make a source and break what it reads. */
export interface SourceHarness<Place extends SourcePlace = SourcePlace> extends LawHarness {
  /** A place without documents; each call gives another. */
  place(context: LawContext): Promise<Place>;
  /** Makes everything in this folder unreadable, and gives the prefix of the ids in it. */
  hideFolder?(place: Place, folder: string): Promise<string>;
  /** Makes the whole place unreachable: the root gone, the server down. */
  disconnect?(place: Place): Promise<void>;
  /** The source goes on after a listing, with changes. */
  readonly follows?: true;
  /** How many documents it takes until a listing gives a checkpoint; left out when it never does. */
  readonly checkpointAfter?: number;
}

/** What one listing said. */
export interface Listing {
  readonly events: readonly SourceEvent[];
  readonly documents: ReadonlyMap<string, DocumentRef>;
  readonly resumed: boolean;
  readonly end: "complete" | "partial";
}

/** Reads one listing and checks the order of its events. */
export async function listAll(
  source: Source,
  signal: AbortSignal,
  from?: NonNullable<Parameters<Source["read"]>[0]["from"]>,
): Promise<Listing> {
  const options = from === undefined ? { follow: false } : { follow: false, from };
  const events = await collect(source.read(options, signal));
  const [first] = events;
  const last = events.at(-1);
  checkThat(first?.kind === "listing", "the first event", first, "a `listing`");
  checkThat(last?.kind === "end", "the last event", last, "an `end`");
  const inner = events.slice(1, -1).map((event) => event.kind);
  const strays = inner.filter((kind) => kind === "listing" || kind === "end");
  checkEqual(strays, [], "further listings and ends between them");
  const documents = new Map<string, DocumentRef>();
  for (const event of events) {
    if (event.kind !== "document") continue;
    const { id } = event.document;
    checkEqual(documents.has(id), false, `whether \`${id}\` was listed before`);
    documents.set(id, event.document);
  }
  return { events, documents, resumed: first.resumed, end: last.listing };
}

/** The text of a document. */
export async function textOf(document: DocumentRef, signal: AbortSignal): Promise<string> {
  const { content } = document;
  if (content.kind === "blocks") {
    const events = await collect(content.open(signal));
    return events.map((event) => (event.kind === "block" ? event.block.text : "")).join("\n\n");
  }
  return Buffer.concat(await collect(content.open(signal))).toString("utf8");
}

/** Looks one document up. */
export async function lookupOne(
  source: Source,
  id: string,
  signal: AbortSignal,
): Promise<LookupEvent> {
  const events = await collect(source.lookup([id], signal));
  const [event] = events;
  if (event !== undefined && events.length === 1) return event;
  throw new AssertionError({
    message: `A lookup of \`${id}\` gave ${events.length} events, expected one.`,
    actual: events,
  });
}

/** The document that a lookup must find. */
export async function lookupDocument(
  source: Source,
  id: string,
  signal: AbortSignal,
): Promise<DocumentRef> {
  const event = await lookupOne(source, id, signal);
  checkThat(event.kind === "document", `the lookup of \`${id}\``, event, "a document");
  return event.document;
}

/** What must be equal of a document whoever asks. */
export function plainDocument(document: DocumentRef | undefined): object | undefined {
  if (document === undefined) return undefined;
  const { id, revision, metadataRevision, order, mediaType, title, uri, metadata } = document;
  return { id, revision, metadataRevision, order, mediaType, title, uri, metadata };
}
