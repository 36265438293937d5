import { checkEqual, checkRejects, checkThat } from "./check.ts";
import { lawBook } from "./law.ts";
import {
  keyOf,
  lookupOne,
  makeFailure,
  makeIds,
  makeTarget,
  newRow,
  openPlaceForWriting,
  openReading,
  openWriting,
  pageIds,
  plainRow,
  setDocument,
  type StateHarness,
} from "./state-harness.ts";
import type { Mutation } from "../contracts/index.ts";

const book = lawBook<StateHarness>();
const { law } = book;

/** Laws about documents and what targets hold of them. */
export const stateDocumentLaws = book.definitions;

law("begins a document's row empty", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  await session.commit([setDocument(keyOf("a"))]);
  const row = plainRow(await lookupOne(session, keyOf("a")));
  checkEqual(row, newRow(keyOf("a")), "the new row");
});

law(
  "keeps every field of a document, and those that a change does not name",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const set = {
      revision: "r'1\n\"",
      content: "c1",
      order: "123456789012345678901234567890",
      seen: 7,
      gone: true,
      owed: true,
      failure: makeFailure(),
      counted: { session: 12, outcome: "passing" },
    } as const;
    await session.commit([setDocument(keyOf("a"), set)]);
    const full = newRow(keyOf("a"), set);
    checkEqual(plainRow(await lookupOne(session, keyOf("a"))), full, "the row");
    await session.commit([setDocument(keyOf("a"), { seen: 8 })]);
    const changed = { ...full, seen: 8 };
    checkEqual(
      plainRow(await lookupOne(session, keyOf("a"))),
      changed,
      "the row, changed in one field",
    );
    const unset = {
      revision: undefined,
      failure: undefined,
      order: undefined,
      counted: undefined,
    };
    await session.commit([setDocument(keyOf("a"), unset)]);
    const cleared = { ...changed, ...unset };
    checkEqual(
      plainRow(await lookupOne(session, keyOf("a"))),
      cleared,
      "the row with fields unset",
    );
    await session.close();
    const next = await openWriting(place, context);
    checkEqual(plainRow(await lookupOne(next, keyOf("a"))), cleared, "the row in the next session");
  },
);

law("looks documents up in the order of the keys, known or not", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const ids = Array.from({ length: 600 }, (_, index) => `page-${index}`);
  await session.commit(ids.map((id) => setDocument(keyOf(id), { content: id })));
  const keys = [
    ...ids
      .toReversed()
      .flatMap((id, index) => (index % 3 === 0 ? [keyOf(id), keyOf(`no-${id}`)] : [keyOf(id)])),
    keyOf("page-5", "other"),
    keyOf("page-5"),
    keyOf("page-5"),
  ];
  const rows = await session.lookup(keys);
  checkEqual(rows.length, keys.length, "the rows");
  const known = new Set(ids);
  const expected = keys.map(({ source, id }) =>
    source === "docs" && known.has(id) ? id : undefined,
  );
  checkEqual(
    rows.map((row) => row?.content),
    expected,
    "the contents, in the order of the keys",
  );
  checkEqual(await session.lookup([]), [], "the rows of no keys");
});

law("tells documents of one id in two sources apart", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const keys = [keyOf("a", "docs"), keyOf("a", "wiki"), keyOf("sa", "doc")];
  await session.commit(keys.map((key) => setDocument(key, { content: key.source })));
  const rows = await session.lookup(keys);
  checkEqual(
    rows.map((row) => row?.content),
    ["docs", "wiki", "doc"],
    "the contents",
  );
});

const oddIds = [
  "it's",
  'a "b"',
  "a\nb",
  "ä/日本/🙂",
  "e\u0301",
  "\u00e9",
  "%_*",
  "a\\b",
  " ",
  "a\tb",
  "Å.md",
];

law("keeps odd ids apart and as they are", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  await session.commit(oddIds.map((id) => setDocument(keyOf(id), { content: id })));
  const rows = await session.lookup(oddIds.map((id) => keyOf(id)));
  checkEqual(
    rows.map((row) => row?.id),
    oddIds,
    "the ids looked up",
  );
  checkEqual((await pageIds(session, {})).toSorted(), oddIds.toSorted(), "the ids of the pages");
});

law(
  "owes a document from `begin` on, and holds old and new ids as begun",
  async (harness, context) => {
    const { session } = await openPlaceForWriting(harness, context);
    const [key, ids, more] = [keyOf("a"), makeIds(40), makeIds(3)];
    await session.commit([setDocument(key), { kind: "begin", key, target: "t1", ids }]);
    const begun = newRow(key, {
      owed: true,
      targets: new Map([["t1", { status: "begun" as const, version: "", ids }]]),
    });
    checkEqual(plainRow(await lookupOne(session, key)), begun, "the row after `begin`");
    await session.commit([{ kind: "begin", key, target: "t2", ids: more }]);
    const targets = new Map(begun.targets).set("t2", { status: "begun", version: "", ids: more });
    checkEqual(plainRow(await lookupOne(session, key)), { ...begun, targets }, "with two targets");
  },
);

law(
  "settles one target with its version and ids, and leaves the others",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const [key, ids, other] = [keyOf("a"), makeIds(3), makeIds(2)];
    await session.commit([
      setDocument(key),
      { kind: "begin", key, target: "t1", ids },
      { kind: "begin", key, target: "t2", ids: other },
      { kind: "settle", key, target: "t1", version: "v1", ids: ids.slice(1) },
    ]);
    const targets = new Map([
      ["t1", { status: "settled" as const, version: "v1", ids: ids.slice(1) }],
      ["t2", { status: "begun" as const, version: "", ids: other }],
    ]);
    const expected = newRow(key, { owed: true, targets });
    checkEqual(plainRow(await lookupOne(session, key)), expected, "the row");
    await session.commit([{ kind: "begin", key, target: "t1", ids }]);
    const again = (await lookupOne(session, key))?.targets.get("t1");
    checkEqual({ ...again }, { status: "begun", version: "", ids }, "the target, begun again");
    await session.close();
    const next = plainRow(await lookupOne(await openWriting(place, context), key));
    checkEqual(next?.targets.get("t2"), targets.get("t2"), "the other target in the next session");
  },
);

law("settles with no ids as held and empty, and clears to not held", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const key = keyOf("a");
  await session.commit([
    setDocument(key),
    { kind: "settle", key, target: "t1", version: "v1", ids: [] },
    { kind: "settle", key, target: "t2", version: "v1", ids: makeIds(1) },
    { kind: "clear", key, target: "t2" },
  ]);
  const targets = new Map([["t1", { status: "settled" as const, version: "v1", ids: [] }]]);
  checkEqual(plainRow(await lookupOne(session, key))?.targets, targets, "the targets");
});

law(
  "refuses to forget a document that a target holds, and does nothing of that commit",
  async (harness, context) => {
    for (const held of ["begin", "settle"] as const) {
      const { session } = await openPlaceForWriting(harness, context);
      const [key, ids] = [keyOf("a"), makeIds(2)];
      const hold: Mutation =
        held === "begin"
          ? { kind: "begin", key, target: "t1", ids }
          : { kind: "settle", key, target: "t1", version: "v1", ids };
      await session.commit([setDocument(key, { content: "c1" }), hold]);
      const before = plainRow(await lookupOne(session, key));
      const mutations: Mutation[] = [
        setDocument(key, { content: "c2" }),
        setDocument(keyOf("b")),
        { kind: "value", key: "k", value: 1 },
        { kind: "forget", key },
        setDocument(keyOf("c")),
      ];
      await checkRejects(session.commit(mutations), `a \`forget\` after \`${held}\``);
      checkEqual(plainRow(await lookupOne(session, key)), before, "the row after the refusal");
      checkEqual(await pageIds(session, {}), ["a"], "the documents after the refusal");
      checkEqual(await session.value("k"), undefined, "the value after the refusal");
      await session.commit([
        { kind: "clear", key, target: "t1" },
        { kind: "forget", key },
      ]);
      checkEqual(await lookupOne(session, key), undefined, "the row after `clear` and `forget`");
    }
  },
);

law("refuses a bad commit alone, also among others at the same time", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const key = keyOf("held");
  await session.commit([setDocument(key), { kind: "begin", key, target: "t1", ids: makeIds(1) }]);
  const commits = Array.from({ length: 20 }, (_, index) =>
    session.commit([
      setDocument(keyOf(`page-${index}`)),
      ...(index % 5 === 2 ? [{ kind: "forget", key } as const] : []),
    ]),
  );
  const outcomes = await Promise.allSettled(commits);
  const refused = outcomes.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
  checkEqual(refused, [2, 7, 12, 17], "the commits refused");
  const ids = new Set(await pageIds(session, {}));
  const kept = outcomes.flatMap((_, index) => (ids.has(`page-${index}`) ? [] : [index]));
  checkEqual(kept, refused, "the commits without effect");
});

law(
  "keeps the order of mutations and of commits that nobody waited for",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const key = keyOf("a");
    const commits = Array.from({ length: 60 }, (_, index) =>
      session.commit(
        [
          setDocument(key, { content: `x${index}`, seen: index }),
          setDocument(key, { content: `c${index}` }),
        ],
        { durable: index % 7 === 0 },
      ),
    );
    await Promise.all(commits);
    const row = await lookupOne(session, key);
    checkEqual([row?.content, row?.seen], ["c59", 59], "content and generation after all commits");
    const reader = await openReading(place, context);
    checkThat(reader !== undefined, "a reading session", reader, "a session");
    checkEqual((await lookupOne(reader, key))?.content, "c59", "the content to a reader");
  },
);

law("forgets a target with what every document holds there", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const keys = ["a", "b", "c"].map((id) => keyOf(id));
  const held = (key: (typeof keys)[number], target: string): Mutation => ({
    kind: "settle",
    key,
    target,
    version: "v1",
    ids: makeIds(1),
  });
  await session.commit([
    { kind: "target", info: makeTarget("t1") },
    { kind: "target", info: makeTarget("t2") },
    ...keys.flatMap((key) => [setDocument(key), held(key, "t1"), held(key, "t2")]),
    { kind: "forget-target", target: "t1" },
  ]);
  checkEqual(
    (await session.targets()).map((info) => info.target),
    ["t2"],
    "the targets",
  );
  for (const row of await session.lookup(keys)) {
    checkEqual([...(row?.targets.keys() ?? [])], ["t2"], `the targets that hold \`${row?.id}\``);
  }
});
