import type {
  DocumentRef,
  LookupEvent,
  Source,
  SourceEvent,
} from "../../../../src/contracts/index.ts";
import { sourceLaws, type FakeFolder } from "../../../../src/testkit/index.ts";
import { fakeSourceHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateSource = (source: Source, folder: FakeFolder) => Source;

/** A source that changes, leaves out or multiplies its events. */
function withEvents(
  change: (event: SourceEvent, number: number, folder: FakeFolder) => readonly SourceEvent[],
): MutateSource {
  return (source, folder) => ({
    ...source,
    async *read(options, signal) {
      let number = 0;
      for await (const event of source.read(options, signal)) {
        number += 1;
        yield* change(event, number, folder);
      }
    },
  });
}

function withDocuments(
  change: (document: DocumentRef, folder: FakeFolder) => DocumentRef,
): MutateSource {
  return (source, folder) => {
    const changed = <Event extends SourceEvent | LookupEvent>(event: Event): Event =>
      event.kind === "document" ? { ...event, document: change(event.document, folder) } : event;
    return {
      ...source,
      async *read(options, signal) {
        for await (const event of source.read(options, signal)) yield changed(event);
      },
      async *lookup(ids, signal) {
        for await (const event of source.lookup(ids, signal)) yield changed(event);
      },
    };
  };
}

const everything = "lists every document exactly once between `listing` and a complete `end`";
const unreadable = "reports an unreadable folder with its prefix and lists the rest";
const resume = "misses nothing when a listing is taken up where it stopped";
const looked = "says the same of a document in a lookup as in a listing";

export const sourceMutants = mutantsOf(
  "a source that",
  (mutate: MutateSource) => sourceLaws(fakeSourceHarness(mutate)),
  [
    [
      "calls a listing complete that was cut short",
      everything,
      withEvents((event, number) => (event.kind === "end" || number < 40 ? [event] : [])),
    ],
    [
      "skips an unreadable folder in silence",
      unreadable,
      withEvents((event) => (event.kind === "failure" ? [] : [event])),
    ],
    [
      "declares everything unknown when one folder is unreadable",
      unreadable,
      withEvents((event) =>
        event.kind === "failure" && "prefix" in event ? [{ ...event, prefix: "" }] : [event],
      ),
    ],
    [
      "vouches that an unreadable document is gone",
      "never vouches that an unreadable document is gone",
      (source) => ({
        ...source,
        async *lookup(ids, signal) {
          for await (const event of source.lookup(ids, signal)) {
            yield event.kind === "failure"
              ? { kind: "deletion", documentId: event.documentId }
              : event;
          }
        },
      }),
    ],
    [
      "lists nothing, and completely, when its root is gone",
      "rejects, and never ends a listing, when it cannot be reached",
      (source, folder) => ({
        ...source,
        async *read(options, signal) {
          if (!folder.unreachable) return yield* source.read(options, signal);
          yield { kind: "listing", resumed: false };
          yield { kind: "end", listing: "complete" };
        },
      }),
    ],
    [
      "calls everything deleted in a lookup when its root is gone",
      "vouches for no deletion in a lookup when it cannot be reached",
      (source, folder) => ({
        ...source,
        async *lookup(ids, signal) {
          if (!folder.unreachable) return yield* source.lookup(ids, signal);
          for (const documentId of ids) yield { kind: "deletion", documentId };
        },
      }),
    ],
    [
      "lists a document twice",
      everything,
      withEvents((event) => (event.kind === "document" ? [event, event] : [event])),
    ],
    [
      "never begins its listing",
      everything,
      withEvents((event) => (event.kind === "listing" ? [] : [event])),
    ],
    [
      "never ends its listing",
      everything,
      withEvents((event) => (event.kind === "end" ? [] : [event])),
    ],
    [
      "names a revision by size alone",
      "gives another revision to a document edited to the same length",
      withDocuments((document) => ({ ...document, revision: `${document.content.sizeBytes}` })),
    ],
    [
      "gives a new revision with every listing",
      "keeps the revision of a document while others come, change and go",
      withDocuments((document) => ({ ...document, revision: crypto.randomUUID() })),
    ],
    [
      "numbers documents in the order of the listing",
      "lists the same ids and revisions again, also from another source",
      (() => {
        let count = 0;
        return withDocuments((document) => ({ ...document, id: `${document.id}#${(count += 1)}` }));
      })(),
    ],
    [
      "names another revision in a lookup",
      looked,
      (source) => ({
        ...source,
        async *lookup(ids, signal) {
          for await (const event of source.lookup(ids, signal)) {
            yield event.kind === "document"
              ? { kind: "document", document: { ...event.document, revision: "looked-up" } }
              : event;
          }
        },
      }),
    ],
    [
      "leaves out of a lookup what is gone",
      "answers a lookup of what is not there with a deletion, for each id",
      (source) => ({
        ...source,
        async *lookup(ids, signal) {
          for await (const event of source.lookup(ids, signal)) {
            if (event.kind !== "deletion") yield event;
          }
        },
      }),
    ],
    [
      "forgets what vanished before the cursor",
      resume,
      withEvents((event) => (event.kind === "deletion" ? [] : [event])),
    ],
    [
      "says that a resumed listing is a fresh one",
      resume,
      withEvents((event) => (event.kind === "listing" ? [{ ...event, resumed: false }] : [event])),
    ],
    [
      "goes on from a cursor that is not its own",
      "begins anew when it does not understand a cursor",
      (source) => ({
        ...source,
        async *read(options, signal) {
          const skip = options.from === undefined ? 0 : 1;
          let number = 0;
          for await (const event of source.read(options, signal)) {
            number += event.kind === "document" ? 1 : 0;
            if (event.kind !== "document" || number > skip) yield event;
          }
        },
      }),
    ],
    [
      "gives a content only once",
      "gives the content of each document whole, as often as it is opened",
      withDocuments((document) => {
        if (document.content.kind !== "bytes") return document;
        const { content } = document;
        let opened: AsyncIterable<Uint8Array> | undefined;
        return {
          ...document,
          content: { ...content, open: (signal) => (opened ??= content.open(signal)) },
        };
      }),
    ],
    [
      "loses the last piece of a content",
      "gives the content of each document whole, as often as it is opened",
      withDocuments((document) => {
        if (document.content.kind !== "bytes") return document;
        const { content } = document;
        async function* open(signal: AbortSignal): AsyncGenerator<Uint8Array> {
          let held: Uint8Array | undefined;
          for await (const piece of content.open(signal)) {
            if (held !== undefined) yield held;
            held = piece;
          }
        }
        return { ...document, content: { ...content, open } };
      }),
    ],
    [
      "gives an empty content for what has vanished",
      "rejects the opening of a document that vanished after it was listed",
      withDocuments((document, folder) => {
        if (document.content.kind !== "bytes") return document;
        const { content } = document;
        async function* open(signal: AbortSignal): AsyncGenerator<Uint8Array> {
          if (folder.documents.has(document.id)) yield* content.open(signal);
        }
        return { ...document, content: { ...content, open } };
      }),
    ],
    [
      "lists to the end although its signal has aborted",
      "ends promptly when its signal aborts between events",
      (source) => ({
        ...source,
        read: (options) => source.read(options, new AbortController().signal),
      }),
    ],
    [
      "does not hear an abort while it waits for changes",
      "stops following promptly when its signal aborts",
      (source) => ({
        ...source,
        read: (options) => source.read(options, new AbortController().signal),
      }),
    ],
    [
      "misses what changes during its listing",
      "reports what changes after the listing, without a gap",
      (source) => ({
        ...source,
        async *read(options, signal) {
          yield* source.read({ ...options, follow: false }, signal);
          if (!options.follow) return;
          let listing = true;
          for await (const event of source.read({ follow: true }, signal)) {
            if (!listing && event.kind !== "end") yield event;
            if (event.kind === "end") listing = false;
          }
        },
      }),
    ],
    [
      "serves a path outside its root",
      'finds no document under the id "../outside"',
      (source) => ({
        ...source,
        async *lookup(ids, signal) {
          for await (const event of source.lookup(ids, signal)) {
            if (event.kind !== "deletion" || !event.documentId.startsWith("..")) yield event;
            else {
              const content = { kind: "bytes", open: async function* () {} } as const;
              const { documentId: id } = event;
              const document = {
                id,
                revision: "1",
                mediaType: "text/plain",
                metadata: {},
                content,
              };
              yield { kind: "document", document };
            }
          }
        },
      }),
    ],
  ],
);
