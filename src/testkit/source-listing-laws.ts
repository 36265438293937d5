import { checkEqual, checkSame, checkThat, collect } from "./check.ts";
import { lawBook } from "./law.ts";
import {
  listAll,
  lookupDocument,
  lookupOne,
  plainDocument,
  textOf,
  type SourceHarness,
  type SourcePlace,
} from "./source-harness.ts";

const book = lawBook<SourceHarness>();
const { law } = book;

/** Laws about listing, looking up and opening documents that nobody changes. */
export const sourceListingLaws = book.definitions;

law(
  "lists every document exactly once between `listing` and a complete `end`",
  async (harness, context) => {
    const place = await harness.place(context);
    const ids = await putMany(place, 63);
    const source = await place.source();
    const listing = await listAll(source, context.signal);
    checkEqual(listing.end, "complete", "how the listing ended");
    checkEqual(listing.resumed, false, "whether a first listing is resumed");
    checkSame(listing.documents.keys(), ids, "the ids listed");
  },
);

law(
  "lists the same ids and revisions again, also from another source",
  async (harness, context) => {
    const place = await harness.place(context);
    await putMany(place, 12);
    const [first, second] = [await place.source(), await place.source()];
    const listings = [first, first, second].map((source) => listAll(source, context.signal));
    const [once, again, other] = (await Promise.all(listings)).map(({ documents }) =>
      [...documents.values()].map(plainDocument).toSorted(byText),
    );
    checkEqual(again, once, "the second listing");
    checkEqual(other, once, "the listing of another source");
    checkEqual(first.identity, second.identity, "the identity of another source");
    checkThat(first.identity.length > 0, "the identity", first.identity, "a name");
  },
);

law("lists nothing, and completely, where nothing is", async (harness, context) => {
  const place = await harness.place(context);
  const listing = await listAll(await place.source(), context.signal);
  checkEqual([...listing.documents.keys()], [], "the ids listed");
  checkEqual(listing.end, "complete", "how the listing ended");
});

law(
  "gives the content of each document whole, as often as it is opened",
  async (harness, context) => {
    const place = await harness.place(context);
    const texts = ["Short.", "", "Zeile mit Umlauten äöü 🙂\n\nEnde", "long ".repeat(40_000)];
    const expected = new Map<string, string>();
    for (const [index, text] of texts.entries()) {
      expected.set(await place.put(`folder/page-${index}`, text), text);
    }
    const { documents } = await listAll(await place.source(), context.signal);
    for (const [id, document] of documents) {
      for (const time of ["first", "second"]) {
        const text = await textOf(document, context.signal);
        const wanted = expected.get(id) ?? "";
        checkEqual(text.length, wanted.length, `the length of \`${id}\` opened a ${time} time`);
        checkEqual(text === wanted, true, `whether \`${id}\` has its text, opened a ${time} time`);
      }
    }
  },
);

law("describes documents in well-formed terms", async (harness, context) => {
  const place = await harness.place(context);
  await putMany(place, 5);
  const { documents } = await listAll(await place.source(), context.signal);
  for (const { id, revision, mediaType, metadata, content } of documents.values()) {
    checkThat(id !== "" && id.isWellFormed(), "an id", id, "well-formed and not empty");
    checkThat(revision !== "", `the revision of \`${id}\``, revision, "not empty");
    const wellFormed = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(mediaType);
    checkThat(wellFormed, `the media type of \`${id}\``, mediaType, "`type/subtype` in lower case");
    checkEqual(JSON.parse(JSON.stringify(metadata)), metadata, `the metadata of \`${id}\` as JSON`);
    const { sizeBytes = 0 } = content;
    checkThat(sizeBytes >= 0, `the size of \`${id}\``, sizeBytes, "0 or more");
  }
});

law("says the same of a document in a lookup as in a listing", async (harness, context) => {
  const place = await harness.place(context);
  const ids = await putMany(place, 15);
  const source = await place.source();
  const { documents } = await listAll(source, context.signal);
  const events = await collect(source.lookup(ids.toReversed(), context.signal));
  checkEqual(events.length, ids.length, "the events of the lookup");
  for (const event of events) {
    checkThat(event.kind === "document", "an event of the lookup", event, "a document");
    const { id } = event.document;
    checkEqual(plainDocument(event.document), plainDocument(documents.get(id)), `\`${id}\``);
  }
  checkEqual(await collect(source.lookup([], context.signal)), [], "a lookup of no ids");
  const document = await lookupDocument(await place.source(), ids[3] ?? "", context.signal);
  checkEqual(await textOf(document, context.signal), "Text 3.", "the text of a looked-up document");
});

law(
  "answers a lookup of what is not there with a deletion, for each id",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/there", "Text.");
    const gone = await place.put("folder/gone", "Text.");
    await place.remove("folder/gone");
    const source = await place.source();
    const absent = [gone, `${id}-never`, "nowhere/nothing"];
    const events = await collect(source.lookup([...absent, id], context.signal));
    const deletions = events.flatMap((event) =>
      event.kind === "deletion" ? [event.documentId] : [],
    );
    checkSame(deletions, absent, "the ids answered with a deletion");
    checkEqual(events.length, 4, "the events of the lookup");
  },
);

for (const hostile of ["../outside", "/etc/hostname", "folder/../../outside", "a\0b", "."]) {
  law(`finds no document under the id ${JSON.stringify(hostile)}`, async (harness, context) => {
    const place = await harness.place(context);
    await place.put("folder/there", "Text.");
    const event = await lookupOne(await place.source(), hostile, context.signal);
    checkThat(event.kind !== "document", "the lookup", event, "a deletion or a failure");
    const { documentId } = event;
    checkEqual(documentId, hostile, "the id in the answer");
  });
}

law("can be read again after a reader stopped early", async (harness, context) => {
  const place = await harness.place(context);
  const ids = await putMany(place, 30);
  const source = await place.source();
  let seen = 0;
  for await (const event of source.read({ follow: false }, context.signal)) {
    seen += event.kind === "document" ? 1 : 0;
    if (seen === 3) break;
  }
  checkEqual(seen, 3, "the documents before the reader stopped");
  const { documents } = await listAll(source, context.signal);
  checkSame(documents.keys(), ids, "the ids of the next listing");
});

law("passes its check and closes twice", async (harness, context) => {
  const place = await harness.place(context);
  await place.put("folder/there", "Text.");
  const source = await place.source();
  await source.check(context.signal);
  await source.close();
  await source.close();
});

/** Puts documents into nested folders and gives their ids; the text of number 3 is `Text 3.`. */
async function putMany(place: SourcePlace, count: number): Promise<string[]> {
  const folders = ["", "folder/", "folder/deep/er/", "other folder/"];
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const folder = folders[number % folders.length] ?? "";
    ids.push(await place.put(`${folder}page-${number}`, `Text ${number}.`));
  }
  return ids;
}

function byText(left: object | undefined, right: object | undefined): number {
  const [a, b] = [left, right].map((value) => JSON.stringify(value, (_, item) => plain(item)));
  return (a ?? "") < (b ?? "") ? -1 : 1;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
