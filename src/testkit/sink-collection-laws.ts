import { checkEqual, checkFault, checkRejects, checkSame, checkThat } from "./check.ts";
import { abortedSignal, checkPrompt } from "./check.ts";
import { lawBook } from "./law.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  openPlace,
  readOne,
  scanIds,
  specOf,
  toDelete,
  toUpsert,
  upsertAll,
  writeAll,
  type SinkHarness,
} from "./sink-harness.ts";

const book = lawBook<SinkHarness>();
const { law, lawWith } = book;

/** Laws about the life of a collection: `describe`, `create`, `open`, markers, reopening and neighbours. */
export const sinkCollectionLaws = book.definitions;

law(
  "says nothing of a collection that does not exist, and does not make it",
  async (harness, context) => {
    const place = await harness.place(context);
    const sink = await place.connect("law");
    checkEqual(await sink.describe(context.signal), undefined, "the description");
    checkEqual(await sink.describe(context.signal), undefined, "the description, asked again");
    await checkFault(sink.open(context.signal), "opening what does not exist", "sink.missing");
  },
);

law(
  "creates an empty collection of the dimension and metric asked for",
  async (harness, context) => {
    const { sink, collection, spec } = await openPlace(harness, context);
    checkEqual(collection.dimension, spec.dimension, "the dimension of the collection");
    const description = await sink.describe(context.signal);
    const { records, marker, misfits, elementType } = description ?? {};
    checkEqual(records, 0, "the records");
    checkEqual(marker, undefined, "the marker");
    checkEqual(misfits, [], "the misfits");
    checkEqual(elementType, "float32", "the type of the numbers");
    const { dimension = spec.dimension, metric = spec.metric } = description ?? {};
    checkEqual(
      { dimension, metric },
      { dimension: spec.dimension, metric: spec.metric },
      "the shape",
    );
  },
);

law(
  "fails to create a collection that exists, and leaves it as it is",
  async (harness, context) => {
    const { place, collection, spec, dimension, sink } = await openPlace(harness, context);
    const record = makeRecord(1, dimension);
    await upsertAll(collection, [record], context.signal);
    await checkFault(sink.create(spec, context.signal), "creating it again", "sink.");
    const second = await place.connect("law");
    const smaller = { ...spec, dimension: dimension - 1 };
    await checkFault(second.create(smaller, context.signal), "creating it smaller", "sink.");
    const live = await second.open(context.signal);
    checkEqual(live.dimension, dimension, "the dimension after that");
    checkSame(await scanIds(live, "law", context.signal), [record.id], "the ids of a scan");
  },
);

law("describes what is there now, never what was", async (harness, context) => {
  const { place, sink, collection, dimension } = await openPlace(harness, context);
  const watcher = await place.connect("law");
  const records = makeRecords(12, dimension);
  const marker = makeMarker(dimension);
  checkEqual((await watcher.describe(context.signal))?.records, 0, "the records at first");
  await upsertAll(collection, records, context.signal);
  await collection.setMarker(marker, context.signal);
  for (const client of [sink, watcher]) {
    const description = await client.describe(context.signal);
    checkEqual(description?.records, 12, "the records after a write");
    checkEqual(description?.marker, marker, "the marker after it was set");
  }
  await writeAll(collection, records.slice(0, 5).map(toDelete), context.signal);
  checkEqual((await watcher.describe(context.signal))?.records, 7, "the records after deletes");
});

law("shows one client what another has written", async (harness, context) => {
  const { place, collection, dimension } = await openPlace(harness, context);
  const other = await (await place.connect("law")).open(context.signal);
  const record = makeRecord(1, dimension);
  await upsertAll(collection, [record], context.signal);
  checkEqual((await readOne(other, record.id, context.signal))?.id, record.id, "the id read");
  await writeAll(other, [toDelete(record)], context.signal);
  checkEqual(await collection.count(undefined, context.signal), 0, "the count after the delete");
});

law("keeps a marker as it was set, and replaces it as a whole", async (harness, context) => {
  const { sink, collection, dimension } = await openPlace(harness, context);
  const first = makeMarker(dimension);
  const second = makeMarker(dimension, {
    incarnation: first.incarnation,
    space: { hash: "b".repeat(64), model: `odd "model" 🙂` },
    pipelines: {
      "two's": { stateId: "00000000-0000-4000-8000-000000000002", runSeq: 7 },
      law: { stateId: "00000000-0000-4000-8000-000000000001", runSeq: 2 },
    },
  });
  for (const marker of [first, second, first]) {
    await collection.setMarker(marker, context.signal);
    const description = await sink.describe(context.signal);
    checkEqual(description?.marker, marker, "the marker");
    checkEqual(description?.records, 0, "the records; a marker is none");
  }
});

law("keeps the marker through writes, and keeps it out of reads", async (harness, context) => {
  const { sink, collection, dimension } = await openPlace(harness, context);
  const marker = makeMarker(dimension);
  await collection.setMarker(marker, context.signal);
  const records = makeRecords(5, dimension);
  await upsertAll(collection, records, context.signal);
  await writeAll(collection, records.slice(0, 2).map(toDelete), context.signal);
  await collection.optimize?.(context.signal);
  checkEqual((await sink.describe(context.signal))?.marker, marker, "the marker");
  checkEqual(await collection.count(undefined, context.signal), 3, "the count");
  checkEqual((await scanIds(collection, "law", context.signal)).length, 3, "records of a scan");
});

lawWith(
  ["reopen"],
  "still has records, dimension and marker after a restart",
  async (harness, context) => {
    const { place, sink, collection, dimension } = await openPlace(harness, context);
    const records = makeRecords(120, dimension);
    const marker = makeMarker(dimension);
    await upsertAll(collection, records, context.signal);
    await collection.setMarker(marker, context.signal);
    await writeAll(collection, records.slice(0, 20).map(toDelete), context.signal);
    await sink.close();
    await harness.reopen(place);
    const next = await place.connect("law");
    const description = await next.describe(context.signal);
    checkEqual(description?.marker, marker, "the marker");
    checkEqual(description?.records, 100, "the records");
    const reopened = await next.open(context.signal);
    checkEqual(reopened.dimension, dimension, "the dimension");
    const ids = records.slice(20).map((record) => record.id);
    checkSame(await scanIds(reopened, "law", context.signal), ids, "the ids of a scan");
  },
);

lawWith(
  ["reopen"],
  "has every acknowledged write after a restart without a close",
  async (harness, context) => {
    const { place, collection, dimension } = await openPlace(harness, context);
    const records = makeRecords(10, dimension);
    for (const record of records) {
      await writeAll(collection, [toUpsert(record)], context.signal);
    }
    await harness.reopen(place);
    const reopened = await (await place.connect("law")).open(context.signal);
    const ids = records.map((record) => record.id);
    checkSame(await scanIds(reopened, "law", context.signal), ids, "the ids of a scan");
  },
);

lawWith(
  ["drop"],
  "sees that a collection was dropped, and makes it anew without a marker",
  async (harness, context) => {
    const { place, sink, collection, dimension, spec } = await openPlace(harness, context);
    await upsertAll(collection, makeRecords(3, dimension), context.signal);
    await collection.setMarker(makeMarker(dimension), context.signal);
    await harness.drop(place);
    checkEqual(await sink.describe(context.signal), undefined, "the description after the drop");
    const write = collection.write([toUpsert(makeRecord(1, dimension))], context.signal);
    await checkFault(write, "a write into what was dropped", "sink.");
    const next = await place.connect("law");
    await next.create({ ...spec, dimension: dimension - 1 }, context.signal);
    const description = await next.describe(context.signal);
    checkEqual(description?.records, 0, "the records of the new one");
    checkEqual(description?.marker, undefined, "the marker of the new one");
    checkEqual(description?.dimension, dimension - 1, "the dimension of the new one");
  },
);

lawWith(
  ["foreign"],
  "tells that a collection was made by something else",
  async (harness, context) => {
    const place = await harness.place(context);
    await harness.foreign(place);
    const sink = await place.connect("law");
    const description = await sink.describe(context.signal);
    checkThat(description !== undefined, "the description", description, "a description");
    checkEqual(description.marker, undefined, "its marker");
    if (description.misfits.length > 0) return;
    await checkFault(sink.open(context.signal), "opening it", "sink.foreign");
  },
);

law(
  "lets two pipelines share a collection without touching each other",
  async (harness, context) => {
    const { place, collection, dimension } = await openPlace(harness, context);
    const neighbour = await (await place.connect("other")).open(context.signal);
    const ours = makeRecords(30, dimension);
    const theirs = makeRecords(30, dimension, { pipeline: "other" });
    await Promise.all([
      upsertAll(collection, ours, context.signal),
      upsertAll(neighbour, theirs, context.signal),
    ]);
    await writeAll(collection, ours.map(toDelete), context.signal);
    checkEqual(await scanIds(collection, "law", context.signal), [], "a scan of ours");
    const ids = theirs.map((record) => record.id);
    checkSame(await scanIds(collection, "other", context.signal), ids, "a scan of theirs");
  },
);

law("names its address and shape the same in every client", async (harness, context) => {
  const place = await harness.place(context);
  const [first, second] = [await place.connect("law"), await place.connect("law")];
  checkThat(first.address.length > 0, "the address", first.address, "a name");
  const shapes = [first, second].map(({ address, shape, createMetric }) => ({
    address,
    shape,
    createMetric,
  }));
  checkEqual(shapes[1], shapes[0], "address, shape and metric of the second client");
});

law("passes its check, before and after the collection exists", async (harness, context) => {
  const place = await harness.place(context);
  const sink = await place.connect("law");
  await sink.check(context.signal);
  checkEqual(await sink.describe(context.signal), undefined, "the description after the check");
  await sink.create(specOf(harness, sink), context.signal);
  await sink.check(context.signal);
});

law(
  "rejects descriptions, creations and openings whose signal has aborted",
  async (harness, context) => {
    const place = await harness.place(context);
    const sink = await place.connect("law");
    await checkRejects(sink.describe(abortedSignal()), "the aborted description");
    await checkRejects(sink.create(specOf(harness, sink), abortedSignal()), "the aborted creation");
    checkEqual(await sink.describe(context.signal), undefined, "the description after that");
    await sink.create(specOf(harness, sink), context.signal);
    await checkRejects(sink.open(abortedSignal()), "the aborted opening");
  },
);

law("closes twice, also while a write is on its way", async (harness, context) => {
  const { sink, collection, dimension } = await openPlace(harness, context);
  const write = collection.write(makeRecords(10, dimension).map(toUpsert), context.signal);
  const settled = checkPrompt(write, "the write during the close");
  await sink.close();
  await sink.close();
  await settled;
  await sink.close();
});
