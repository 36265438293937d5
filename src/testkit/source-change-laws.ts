import type { Cursor, DocumentRef, Source, SourceEvent } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { checkEqual, checkFault, checkSame, checkThat, outcomeOf } from "./check.ts";
import { lawBook } from "./law.ts";
import { within } from "./run-laws.ts";
import { listAll, lookupDocument, textOf, type SourceHarness } from "./source-harness.ts";

const book = lawBook<SourceHarness>();
const { law, lawWith } = book;

/** Laws about documents that change, vanish and appear, and about going on from a cursor. */
export const sourceChangeLaws = book.definitions;

const edits: readonly (readonly [string, string, string])[] = [
  ["another length", "Old text.", "A new and longer text."],
  ["the same length", "Old text.", "New text."],
  ["nothing left", "Old text.", ""],
];

for (const [what, before, after] of edits) {
  law(`gives another revision to a document edited to ${what}`, async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", before);
    const source = await place.source();
    const old = (await listAll(source, context.signal)).documents.get(id);
    await place.put("folder/page", after);
    const listed = (await listAll(source, context.signal)).documents.get(id);
    const looked = await lookupDocument(source, id, context.signal);
    for (const next of [listed, looked]) checkMoved(old, next);
  });
}

law(
  "keeps the revision of a document while others come, change and go",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", "Stays.");
    await place.put("folder/other", "Old.");
    await place.put("folder/gone", "Goes.");
    const source = await place.source();
    const before = (await listAll(source, context.signal)).documents.get(id);
    await place.put("folder/other", "New text.");
    await place.put("folder/more", "Comes.");
    await place.remove("folder/gone");
    const after = (await listAll(source, context.signal)).documents.get(id);
    checkEqual(after?.revision, before?.revision, "the revision of what nobody touched");
  },
);

law("lists what has come and no longer what has gone", async (harness, context) => {
  const place = await harness.place(context);
  const kept = await place.put("folder/kept", "Kept.");
  await place.put("folder/gone", "Gone.");
  const source = await place.source();
  await listAll(source, context.signal);
  await place.remove("folder/gone");
  const added = await place.put("new folder/added", "Added.");
  const listing = await listAll(source, context.signal);
  checkSame(listing.documents.keys(), [kept, added], "the ids of the second listing");
  checkEqual(listing.end, "complete", "how the second listing ended");
});

law(
  "rejects the opening of a document that vanished after it was listed",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", "Text.");
    const { documents } = await listAll(await place.source(), context.signal);
    await place.remove("folder/page");
    const document = documents.get(id);
    checkThat(document !== undefined, "the listed document", document, "a document");
    const fault = await checkFault(textOf(document, context.signal), "the opening", "source.");
    checkEqual(fault.scope, "document", "the scope of the fault");
  },
);

law(
  "never gives a mixture of versions when a document changes after it was listed",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", "old ".repeat(10_000));
    const { documents } = await listAll(await place.source(), context.signal);
    const text = "new ".repeat(10_000);
    await place.put("folder/page", text);
    const document = documents.get(id);
    checkThat(document !== undefined, "the listed document", document, "a document");
    const outcome = await outcomeOf(textOf(document, context.signal));
    if ("error" in outcome) {
      const scope = isFault(outcome.error) ? outcome.error.scope : outcome.error;
      checkEqual(scope, "document", "the scope of the fault");
    } else {
      checkEqual(outcome.value === text, true, "whether the text is that of the new version");
    }
  },
);

law("begins anew when it does not understand a cursor", async (harness, context) => {
  const place = await harness.place(context);
  const ids = [await place.put("folder/a", "A."), await place.put("folder/b", "B.")];
  const source = await place.source();
  const cursor = { "not a cursor of yours": [1, null] };
  const outcome = await outcomeOf(listAll(source, context.signal, cursor));
  if ("error" in outcome) {
    checkThat(isFault(outcome.error), "the rejection", outcome.error, "a `Fault`");
    return;
  }
  checkEqual(outcome.value.resumed, false, "whether the listing says it was resumed");
  checkSame(outcome.value.documents.keys(), ids, "the ids listed");
});

law("misses nothing when a listing is taken up where it stopped", async (harness, context) => {
  const place = await harness.place(context);
  const count = Math.max(30, 3 * (harness.checkpointAfter ?? 0));
  const names = Array.from({ length: count }, (_, index) => `folder/page-${1000 + index}`);
  const ids = new Map<string, string>();
  for (const name of names) ids.set(await place.put(name, `Text of ${name}.`), name);
  const part = await readPart(await place.source(), Math.floor(count / 2), context.signal);
  const goneSeen = part.beforeCursor[0] ?? [...ids.keys()][0] ?? "";
  const goneUnseen = [...ids.keys()].find((id) => !part.seen.has(id)) ?? "";
  for (const id of [goneSeen, goneUnseen]) await place.remove(ids.get(id) ?? "");
  const added = await place.put("folder/page-9999", "Added.");

  const rest = await listAll(await place.source(), context.signal, part.cursor);
  checkEqual(rest.end, "complete", "how the second part ended");
  const known = new Set(rest.resumed ? part.beforeCursor : []);
  for (const event of rest.events) apply(known, event);
  const expected = [...ids.keys(), added].filter((id) => id !== goneSeen && id !== goneUnseen);
  checkSame(known, expected, "the ids after both parts");
});

lawWith(["checkpointAfter"], "gives cursors that survive JSON", async (harness, context) => {
  const place = await harness.place(context);
  for (let number = 0; number < harness.checkpointAfter * 2; number += 1) {
    await place.put(`folder/page-${number}`, "Text.");
  }
  const { events } = await listAll(await place.source(), context.signal);
  const cursors = events.flatMap((event) => (event.kind === "checkpoint" ? [event.cursor] : []));
  checkThat(cursors.length > 0, "the checkpoints of a listing", cursors.length, "at least one");
  for (const cursor of cursors) {
    checkEqual(JSON.parse(JSON.stringify(cursor)), cursor, "the cursor after JSON");
  }
});

lawWith(
  ["follows"],
  "reports what changes after the listing, without a gap",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", "Old.");
    const gone = await place.put("folder/gone", "Goes.");
    const controller = new AbortController();
    context.defer(() => controller.abort(new Error("The law is over.")));
    const source = await place.source();
    const events = source.read({ follow: true }, controller.signal)[Symbol.asyncIterator]();
    const next = (wanted: (event: SourceEvent) => boolean): Promise<SourceEvent> =>
      within(10_000, "The wait for a change", nextWhere(events, wanted));
    await next((event) => event.kind === "listing");
    await next((event) => event.kind === "document");
    // The change comes while the listing goes on: it must be listed or reported.
    const added = await place.put("folder/added", "Added.");
    await next((event) => event.kind === "document" && event.document.id === added);
    await place.put("folder/page", "New.");
    await next((event) => event.kind === "document" && event.document.id === id);
    await place.remove("folder/gone");
    await within(10_000, "The wait for the deletion", untilGone(events, gone));
  },
);

function checkMoved(old: DocumentRef | undefined, next: DocumentRef | undefined): void {
  checkThat(old !== undefined && next !== undefined, "the document", next, "a document");
  if (old.provisional === true) return;
  const moved = old.revision !== next.revision;
  checkThat(moved, "the revision after the edit", next.revision, "another one");
}

interface Part {
  readonly seen: ReadonlySet<string>;
  readonly beforeCursor: readonly string[];
  readonly cursor: Cursor | undefined;
}

/** Reads until this many documents have come, and keeps the last cursor. */
async function readPart(source: Source, count: number, signal: AbortSignal): Promise<Part> {
  const seen = new Set<string>();
  let cursor: Cursor | undefined;
  let beforeCursor: string[] = [];
  for await (const event of source.read({ follow: false }, signal)) {
    if (event.kind === "document") seen.add(event.document.id);
    if (event.kind === "checkpoint") {
      cursor = event.cursor;
      beforeCursor = [...seen];
    }
    if (seen.size >= count) break;
  }
  await source.close();
  return { seen, beforeCursor, cursor };
}

function apply(known: Set<string>, event: SourceEvent): void {
  if (event.kind === "document") known.add(event.document.id);
  if (event.kind === "deletion") known.delete(event.documentId);
}

async function nextWhere(
  events: AsyncIterator<SourceEvent>,
  wanted: (event: SourceEvent) => boolean,
): Promise<SourceEvent> {
  for (;;) {
    const { value, done } = await events.next();
    checkThat(done !== true, "the stream of changes", "its end", "a change");
    if (wanted(value)) return value;
  }
}

/** Waits for the deletion of a document, or for a complete listing without it. */
async function untilGone(events: AsyncIterator<SourceEvent>, id: string): Promise<void> {
  let listed: Set<string> | undefined;
  for (;;) {
    const event = await nextWhere(events, () => true);
    if (event.kind === "deletion" && event.documentId === id) return;
    if (event.kind === "listing" && !event.resumed) listed = new Set();
    if (event.kind === "document") listed?.add(event.document.id);
    if (event.kind !== "end" || event.listing !== "complete") continue;
    if (listed?.has(id) === false) return;
    listed = undefined;
  }
}
