import type {
  Cursor,
  DocumentRef,
  FaultLike,
  JsonObject,
  LookupEvent,
  Source,
  SourceEvent,
} from "../../../../src/contracts/index.ts";
import { Gauge } from "./gauge.ts";

export interface RigDocument {
  readonly text: string;
  readonly revision: string;
  readonly metadata?: JsonObject;
  readonly title?: string;
  readonly uri?: string;
  readonly mediaType?: string;
  readonly provisional?: boolean;
  readonly order?: bigint;
  readonly sizeBytes?: number;
}

/** A source over a map of documents that counts what is asked of it. */
export class RigSource implements Source {
  identity = "rig:one";
  readonly documents = new Map<string, RigDocument>();
  /** With a cursor, a resumed listing tells only what changed since. */
  readonly cursors: boolean;
  readonly log: string[] = [];
  /** Ids of the documents whose content was opened, in order. */
  readonly opens: string[] = [];
  readonly lookups: string[] = [];
  readonly resumed: boolean[] = [];
  readonly acknowledged: Cursor[] = [];
  /** Contents open at the same time. */
  readonly opening = new Gauge();
  listing: "complete" | "partial" = "complete";
  /** Changes what a listing says. */
  say: (events: readonly SourceEvent[]) => Iterable<SourceEvent> | AsyncIterable<SourceEvent> = (
    events,
  ) => events;
  /** Runs before a content is given out; may throw or hang. */
  beforeOpen: (id: string, signal: AbortSignal) => Promise<void> = async () => {};
  /** Goes on after the listing, when following. */
  follow: (signal: AbortSignal) => AsyncIterable<SourceEvent> = async function* () {};
  #revision = 0;

  constructor(options: { readonly cursors?: boolean } = {}) {
    this.cursors = options.cursors ?? false;
  }

  /** Writes a document, with a revision of its own unless one is named. */
  put(id: string, text: string, more: Partial<RigDocument> = {}): void {
    this.#revision += 1;
    this.documents.set(id, { text, revision: `r${this.#revision}`, ...more });
    this.log.push(id);
  }

  /** Gives the same content a new revision. */
  touch(id: string): void {
    const { text, revision: _, ...more } = this.get(id);
    this.put(id, text, more);
  }

  /** Changes what is said about a document, but neither content nor revision. */
  describe(id: string, more: Partial<RigDocument>): void {
    this.documents.set(id, { ...this.get(id), ...more });
    this.log.push(id);
  }

  remove(id: string): void {
    this.documents.delete(id);
    this.log.push(id);
  }

  get(id: string): RigDocument {
    const document = this.documents.get(id);
    if (document === undefined) throw new RangeError(`There is no document ${id}.`);
    return document;
  }

  /** The event that says what is known of a document. */
  event(id: string): LookupEvent {
    const document = this.documents.get(id);
    if (document === undefined) return { kind: "deletion", documentId: id };
    return { kind: "document", document: this.refOf(id, document) };
  }

  refOf(id: string, document: RigDocument): DocumentRef {
    const bytes = new TextEncoder().encode(document.text);
    const { text: _text, mediaType, sizeBytes, metadata, ...rest } = document;
    const open = (signal: AbortSignal): AsyncIterable<Uint8Array> => this.#open(id, bytes, signal);
    return {
      id,
      ...rest,
      mediaType: mediaType ?? "text/plain",
      metadata: metadata ?? {},
      content: { kind: "bytes", sizeBytes: sizeBytes ?? bytes.length, open },
    };
  }

  async *read(
    options: { readonly from?: Cursor; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<SourceEvent> {
    const from = this.cursors ? options.from : undefined;
    this.resumed.push(from !== undefined);
    const events: SourceEvent[] = [{ kind: "listing", resumed: from !== undefined }];
    const ids =
      from === undefined ? [...this.documents.keys()] : this.log.slice(Number(from["position"]));
    for (const id of new Set(ids)) events.push(this.event(id));
    events.push({ kind: "end", listing: this.listing });
    if (this.cursors && (from === undefined || ids.length > 0)) {
      events.push({ kind: "checkpoint", cursor: { position: this.log.length } });
    }
    for await (const event of this.say(events)) yield event;
    if (options.follow) yield* this.follow(signal);
  }

  async *lookup(ids: readonly string[]): AsyncGenerator<LookupEvent> {
    for (const id of ids) {
      this.lookups.push(id);
      yield this.event(id);
    }
  }

  async acknowledge(cursor: Cursor): Promise<void> {
    this.acknowledged.push(cursor);
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  async *#open(id: string, bytes: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.opens.push(id);
    const leave = this.opening.enter();
    try {
      await this.beforeOpen(id, signal);
      yield bytes;
    } finally {
      leave();
    }
  }
}

/** The failure of one document, or of everything below a prefix. */
export function failureEvent(
  where: { readonly documentId: string } | { readonly prefix: string },
  fault: FaultLike,
): SourceEvent {
  return { kind: "failure", ...where, fault };
}
