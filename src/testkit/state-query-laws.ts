import type { DocumentQuery, Mutation, RunRow, SourceRow } from "../contracts/index.ts";
import { checkEqual, checkThat } from "./check.ts";
import { lawBook } from "./law.ts";
import {
  keyOf,
  lookupOne,
  makeFailure,
  makeIds,
  makeTarget,
  openPlaceForWriting,
  openWriting,
  pageIds,
  setDocument,
  type StateHarness,
} from "./state-harness.ts";

const book = lawBook<StateHarness>();
const { law } = book;

/** Laws about pages, counts, sources, targets, deletions, runs and values. */
export const stateQueryLaws = book.definitions;

law(
  "pages through documents in the order of source and id, each once",
  async (harness, context) => {
    const { session } = await openPlaceForWriting(harness, context);
    const keys = Array.from({ length: 1_234 }, (_, index) =>
      keyOf(`page-${(index * 541) % 1_234}`, index % 2 === 0 ? "docs" : "Wiki"),
    );
    await session.commit(keys.map((key) => setDocument(key)));
    for (const pageSize of [undefined, 1_000, 100, 7]) {
      const query = pageSize === undefined ? {} : { pageSize };
      const seen: string[] = [];
      for await (const page of session.pages(query)) {
        const most = pageSize ?? 500;
        checkThat(
          page.length > 0 && page.length <= most,
          "a page",
          page.length,
          `1 to ${most} rows`,
        );
        seen.push(...page.map((row) => `${row.source} ${row.id}`));
      }
      const expected = keys.map((key) => `${key.source} ${key.id}`).toSorted();
      checkEqual(seen, expected, `the documents in pages of ${pageSize ?? "the usual size"}`);
    }
  },
);

law(
  "pages steadily while rows already passed are changed and removed",
  async (harness, context) => {
    const { session } = await openPlaceForWriting(harness, context);
    const ids = Array.from({ length: 95 }, (_, index) => `page-${100 + index}`);
    await session.commit(ids.map((id) => setDocument(keyOf(id), { owed: true })));
    const seen: string[] = [];
    for await (const page of session.pages({ owed: true, pageSize: 10 })) {
      seen.push(...page.map((row) => row.id));
      await session.commit(
        page.map((row, index): Mutation =>
          index % 2 === 0
            ? { kind: "forget", key: keyOf(row.id) }
            : setDocument(keyOf(row.id), { owed: false }),
        ),
      );
    }
    checkEqual(seen, ids, "the documents seen");
    checkEqual(await pageIds(session, { owed: true }), [], "the documents still owed");
  },
);

law("can be left while it pages, and paged again", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const ids = Array.from({ length: 30 }, (_, index) => `page-${100 + index}`);
  await session.commit(ids.map((id) => setDocument(keyOf(id))));
  for await (const page of session.pages({ pageSize: 5 })) {
    if (page.length > 0) break;
  }
  await session.commit([setDocument(keyOf("page-999"))]);
  checkEqual(await pageIds(session, {}), [...ids, "page-999"], "the documents");
});

const queries: readonly (readonly [string, DocumentQuery, readonly string[]])[] = [
  ["a source", { source: "docs" }, ["begun", "failed", "gone", "held", "owed", "plain"]],
  ["another source", { source: "wiki" }, ["plain"]],
  ["an unknown source", { source: "Docs" }, []],
  ["an earlier generation", { seenBefore: 3, source: "docs" }, ["failed", "plain"]],
  ["what is gone", { gone: true }, ["gone"]],
  ["what is not gone", { gone: false, source: "wiki" }, ["plain"]],
  ["what is owed", { owed: true }, ["begun", "owed"]],
  ["what failed", { failed: true }, ["failed"]],
  ["what a target holds", { target: "t1" }, ["begun", "held"]],
  ["two conditions", { target: "t1", owed: true }, ["begun"]],
];

for (const [what, query, expected] of queries) {
  law(`pages and counts by ${what}`, async (harness, context) => {
    const { session } = await openPlaceForWriting(harness, context);
    const [begun, held] = [keyOf("begun"), keyOf("held")];
    await session.commit([
      setDocument(keyOf("plain"), { seen: 1 }),
      setDocument(keyOf("plain", "wiki"), { seen: 9 }),
      setDocument(keyOf("failed"), { seen: 2, failure: makeFailure() }),
      setDocument(keyOf("gone"), { seen: 3, gone: true }),
      setDocument(keyOf("owed"), { seen: 4, owed: true }),
      setDocument(begun, { seen: 5 }),
      { kind: "begin", key: begun, target: "t1", ids: makeIds(1) },
      setDocument(held, { seen: 6 }),
      { kind: "settle", key: held, target: "t1", version: "v1", ids: makeIds(1) },
      { kind: "settle", key: held, target: "t2", version: "v1", ids: makeIds(1) },
    ]);
    checkEqual(await pageIds(session, query), expected, "the documents");
    checkEqual(await session.count(query), expected.length, "the count");
    const indexed = expected.filter((id) => id === "held" || id === "begun").length;
    const count = await session.count({ ...query, indexed: true });
    checkEqual(count, indexed, "the count of those that a target holds");
  });
}

law(
  "keeps sources and targets whole, replaced by name, until they are forgotten",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const docs: SourceRow = {
      name: "docs",
      identity: '/data/it\'s "docs"',
      cursor: { after: "x", deep: [1, null, { a: true }] },
      generation: 4,
      swept: false,
      completeAt: 1_700_000_000_123,
    };
    const wiki = { ...docs, name: "wiki", cursor: undefined, completeAt: undefined };
    const target = makeTarget("t1");
    await session.commit([
      { kind: "source", row: { ...docs, generation: 3 } },
      { kind: "source", row: wiki },
      { kind: "source", row: docs },
      { kind: "target", info: { ...target, markerSeq: 1 } },
      { kind: "target", info: target },
    ]);
    checkEqual([...(await session.sources())].toSorted(byName), [docs, wiki], "the sources");
    checkEqual(await session.targets(), [target], "the targets");
    await session.commit([{ kind: "forget-source", name: "wiki" }]);
    await session.close();
    const next = await openWriting(place, context);
    checkEqual(await next.sources(), [docs], "the sources in the next session");
    checkEqual(await next.targets(), [target], "the targets in the next session");
  },
);

law(
  "counts deletions of one source from a time on, also those of the future",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const now = Date.now();
    await session.commit([countDeletions("docs", now - 2_000, 5), countDeletions("docs", now, 3)]);
    await session.commit([countDeletions("docs", now, 4), countDeletions("wiki", now, 100)]);
    await session.commit([countDeletions("docs", now + 3_600_000, 7)]);
    const expected = [
      [now - 5_000, 19],
      [now - 2_000, 19],
      [now - 1_999, 14],
      [now, 14],
      [now + 1, 7],
    ] as const;
    await session.close();
    const next = await openWriting(place, context);
    for (const [at, sum] of expected) {
      checkEqual(await next.deletionsSince("docs", at), sum, `deletions from ${at - now} ms on`);
    }
    checkEqual(await next.deletionsSince("nobody", 0), 0, "deletions of an unknown source");
  },
);

law("gives runs newest first, as many as asked, each once", async (harness, context) => {
  const { session } = await openPlaceForWriting(harness, context);
  const runs = makeIds(5).map((id, index): RunRow => ({
    id,
    startedAt: 1_700_000_000_000 + index * 1_000,
    endedAt: undefined,
    status: "running",
    summary: undefined,
  }));
  for (const row of runs) await session.commit([{ kind: "run", row }]);
  const [first, ...others] = runs.toReversed();
  checkThat(first !== undefined, "the last run", first, "a run");
  const done: RunRow = {
    ...first,
    endedAt: 1_700_000_009_000,
    status: "partial",
    summary: { documents: { listed: 3 }, note: "it's" },
  };
  await session.commit([{ kind: "run", row: done }]);
  checkEqual(await session.runs(10), [done, ...others], "the runs");
  checkEqual(await session.runs(2), [done, others[0]], "the last two runs");
});

law("keeps named values of every JSON type", async (harness, context) => {
  const { place, session } = await openPlaceForWriting(harness, context);
  const values = { a: null, b: 0, c: "", d: false, e: [1, [2]], f: { g: "it's", h: [null] } };
  const entries = Object.entries(values);
  await session.commit([
    { kind: "value", key: "f", value: "old" },
    ...entries.map(([key, value]): Mutation => ({ kind: "value", key, value })),
  ]);
  await session.close();
  const next = await openWriting(place, context);
  for (const [key, value] of entries) checkEqual(await next.value(key), value, `value \`${key}\``);
  checkEqual(await next.value("unknown"), undefined, "an unknown value");
});

function byName(left: SourceRow, right: SourceRow): number {
  return left.name < right.name ? -1 : 1;
}

function countDeletions(source: string, at: number, deleted: number): Mutation {
  return { kind: "deletions", source, at, count: deleted };
}

law(
  "moves a source with its documents, what targets hold, and its deletions to another name",
  async (harness, context) => {
    const { place, session } = await openPlaceForWriting(harness, context);
    const row = {
      name: "docs",
      identity: "here",
      cursor: undefined,
      generation: 2,
      swept: true,
      completeAt: 5,
    };
    const ids = makeIds(2);
    const settle = { kind: "settle", target: "t1", version: "v", ids } as const;
    await session.commit([
      { kind: "source", row },
      { ...settle, key: keyOf("a") },
      { ...settle, key: keyOf("b", "other") },
      { kind: "deletions", source: "docs", at: 10, count: 3 },
    ]);
    await session.commit([{ kind: "rename-source", from: "docs", to: "wiki" }]);
    await session.close();
    const next = await openWriting(place, context);
    checkEqual(await next.sources(), [{ ...row, name: "wiki" }], "the sources");
    checkEqual(await next.count({ source: "docs" }), 0, "documents under the old name");
    const moved = await lookupOne(next, keyOf("a", "wiki"));
    checkEqual(moved?.targets.get("t1")?.ids, ids, "what the target holds of the moved document");
    checkEqual(await next.count({ source: "other" }), 1, "documents of another source");
    checkEqual(await next.deletionsSince("wiki", 0), 3, "the deletions counted");
  },
);
