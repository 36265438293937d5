import { abortedSignal, checkEqual, checkFault, checkRejects, checkThat } from "./check.ts";
import { lawBook } from "./law.ts";
import {
  keyOf,
  lookupOne,
  openPlaceForWriting,
  openReading,
  openWriting,
  pageIds,
  pipeline,
  setDocument,
  type StateHarness,
} from "./state-harness.ts";

const book = lawBook<StateHarness>();
const { law, lawWith } = book;

/** Laws about opening, leases, fences and what survives. */
export const stateSessionLaws = book.definitions;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

law("finds no state where none was made, and makes none by reading", async (harness, context) => {
  const place = await harness.place(context);
  checkEqual(await openReading(place, context), undefined, "the first reading session");
  checkEqual(await openReading(place, context), undefined, "the second reading session");
});

law("makes a state with an id of its own, which every session sees", async (harness, context) => {
  const { place, session } = await openPlaceForWriting(harness, context);
  const { stateId } = session;
  checkThat(uuid.test(stateId), "the state's id", stateId, "a UUID in lower case");
  checkEqual((await openReading(place, context))?.stateId, stateId, "the id in a reading session");
  await session.close();
  const next = await openWriting(place, context);
  checkEqual(next.stateId, stateId, "the id in the next session");
  const { session: other } = await openPlaceForWriting(harness, context);
  checkThat(other.stateId !== stateId, "the id of another state", other.stateId, "another one");
});

law("gives its lease to one writing session at a time", async (harness, context) => {
  const { place, session } = await openPlaceForWriting(harness, context);
  await checkFault(openWriting(place, context), "a second writing session", "state.locked");
  checkEqual(session.lost.aborted, false, "whether the first lost its lease");
  await session.commit([setDocument(keyOf("a"))]);
  await session.close();
  const next = await openWriting(place, context);
  await checkFault(openWriting(place, context), "a third writing session", "state.locked");
  checkEqual((await lookupOne(next, keyOf("a")))?.id, "a", "the document of the first session");
});

law("tells whether its lease is held, to the holder and to others", async (harness, context) => {
  const place = await harness.place(context);
  const held = async (): Promise<boolean> => (await place.store()).isHeld();
  checkEqual(await held(), false, "whether the lease of no state is held");
  const session = await openWriting(place, context);
  checkEqual(await held(), true, "whether the lease is held while a session writes");
  await openReading(place, context);
  checkEqual(await held(), true, "whether it is held beside a reader");
  await checkFault(openWriting(place, context), "a second writing session", "state.locked");
  await session.close();
  checkEqual(await held(), false, "whether it is held when the session is closed");
  await openReading(place, context);
  checkEqual(await held(), false, "whether a reader holds it");
});

law("gives the lease to exactly one of many that ask at once", async (harness, context) => {
  const place = await harness.place(context);
  const asked = Array.from({ length: 4 }, () => openWriting(place, context));
  const outcomes = await Promise.allSettled(asked);
  const granted = outcomes.filter((outcome) => outcome.status === "fulfilled");
  checkEqual(granted.length, 1, "the sessions that got the lease");
});

law("grows its fence with every writing session", async (harness, context) => {
  const place = await harness.place(context);
  let last = -Infinity;
  for (let turn = 0; turn < 4; turn += 1) {
    const session = await openWriting(place, context);
    checkThat(session.fence > last, `fence ${turn}`, session.fence, `more than ${last}`);
    last = session.fence;
    await session.close();
  }
});

law(
  "lets others read while one writes, and shows them what is committed",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const readers = [await openReading(place, context), await openReading(place, context)];
    for (const id of ["a", "b", "c"]) {
      await session.commit([setDocument(keyOf(id), { content: `content of ${id}` })]);
      for (const reader of readers) {
        checkThat(reader !== undefined, "a reading session", reader, "a session");
        const row = await lookupOne(reader, keyOf(id));
        checkEqual(row?.content, `content of ${id}`, `the content of \`${id}\` to a reader`);
        checkEqual(
          (await pageIds(reader, {})).includes(id),
          true,
          `whether a page holds \`${id}\``,
        );
      }
    }
  },
);

law("refuses to commit in a reading session and after a close", async (harness, context) => {
  const { place, session } = await openPlaceForWriting(harness, context);
  const reader = await openReading(place, context);
  checkThat(reader !== undefined, "a reading session", reader, "a session");
  await checkRejects(reader.commit([setDocument(keyOf("a"))]), "a commit of a reader");
  await session.close();
  await checkRejects(session.commit([setDocument(keyOf("b"))]), "a commit after the close");
  const next = await openWriting(place, context);
  checkEqual(await pageIds(next, {}), [], "the documents");
});

law("takes a state over after a rename, with its id and documents", async (harness, context) => {
  const { place, session } = await openPlaceForWriting(harness, context);
  await session.commit([setDocument(keyOf("a"))]);
  await session.close();
  const options = { pipeline: "renamed", previously: pipeline, mode: "write" } as const;
  const renamed = await (await place.store()).open(options, context.signal);
  context.defer(() => renamed.close());
  checkEqual(renamed.stateId, session.stateId, "the id of the state");
  checkEqual(await pageIds(renamed, {}), ["a"], "the documents");
  await renamed.close();
  const again = await openWriting(place, context, "renamed");
  checkEqual(again.stateId, session.stateId, "the id under the new name");
});

law("opens nothing when its signal has aborted", async (harness, context) => {
  const place = await harness.place(context);
  const store = await place.store();
  const options = { pipeline, mode: "write" } as const;
  await checkRejects(store.open(options, abortedSignal()), "the aborted opening");
  checkEqual(await openReading(place, context), undefined, "the state after that");
});

law("closes twice, sessions and store", async (harness, context) => {
  const place = await harness.place(context);
  const store = await place.store();
  const session = await store.open({ pipeline, mode: "write" }, context.signal);
  const commit = session.commit([setDocument(keyOf("a"))]);
  await commit;
  await session.close();
  await session.close();
  await store.close();
  await store.close();
});

lawWith(
  ["crash"],
  "has every commit, durable or not, after the death of the process",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    await session.commit([setDocument(keyOf("a")), setDocument(keyOf("b"))]);
    await session.commit([setDocument(keyOf("c"))], { durable: false });
    await harness.crash(place);
    const next = await openWriting(place, context);
    checkEqual(await pageIds(next, {}), ["a", "b", "c"], "the documents after the crash");
    checkThat(next.fence > session.fence, "the fence", next.fence, `more than ${session.fence}`);
    checkEqual(next.stateId, session.stateId, "the state's id");
  },
);

lawWith(["crash"], "frees the lease when the process dies", async (harness, context) => {
  const { place } = await openPlaceForWriting(harness, context);
  await harness.crash(place);
  const next = await openWriting(place, context);
  await next.commit([setDocument(keyOf("a"))]);
  checkEqual(await pageIds(next, {}), ["a"], "the documents of the next session");
});

lawWith(
  ["losePower"],
  "has every durable commit, and all before it, after a loss of power",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    await session.commit([setDocument(keyOf("a"))], { durable: false });
    await session.commit([setDocument(keyOf("b"))]);
    await session.commit([setDocument(keyOf("c")), setDocument(keyOf("d"))], { durable: false });
    await harness.losePower(place);
    const ids = await pageIds(await openWriting(place, context), {});
    checkEqual(ids.slice(0, 2), ["a", "b"], "the durable documents");
    const whole = ids.length === 2 || ids.length === 4;
    checkThat(whole, "the documents of the last commit", ids.slice(2), "both or none");
  },
);

lawWith(
  ["damage"],
  "says that a damaged state is damaged, and does not replace it",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const keys = Array.from({ length: 500 }, (_, index) => setDocument(keyOf(`page-${index}`)));
    await session.commit(keys);
    await session.close();
    await (await place.store()).close();
    await harness.damage(place);
    for (const time of ["first", "second"]) {
      const opening = openWriting(place, context);
      await checkFault(opening, `opening it a ${time} time`, "state.corrupt");
    }
  },
);

lawWith(
  ["foreign"],
  "refuses what is not a state of sluice, and does not replace it",
  async (harness, context) => {
    const place = await harness.place(context);
    await harness.foreign(place);
    for (const time of ["first", "second"]) {
      const opening = openWriting(place, context);
      await checkFault(opening, `opening it a ${time} time`, "state.foreign");
    }
  },
);
