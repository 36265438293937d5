import * as fc from "fast-check";
import { join } from "node:path";
import { expect, test } from "vitest";
import type {
  DocumentQuery,
  DocumentRow,
  Mutation,
  StateSession,
} from "../../../src/contracts/index.ts";
import { memoryStateStore, sqliteStateStore } from "../../../src/state/index.ts";
import { signal, temporaryFolder, uuid } from "./support.ts";

const ids = ["a", "b", "é", "", "\uE000", "😀", "a\0b", "x'\"\\\n%_", "docs:a", "A"];
const sources = ["docs", "d", "文"];
const targets = ["t1", "t2", "t1 "];

const keyArbitrary = fc.record({
  source: fc.constantFrom(...sources),
  id: fc.oneof(fc.constantFrom(...ids), fc.string({ unit: "binary", maxLength: 4 })),
});
const recordIds = fc.array(fc.nat(1_000).map(uuid), { maxLength: 4 });
const failure = fc.constant({
  stage: "parse",
  code: "parse.malformed",
  message: "no",
  retry: "never",
  scope: "document",
  revision: "r",
  recipe: "x",
  attempts: 2,
  since: 1,
  firstAt: 5,
  lastAt: 6.5,
  accepted: false,
} as const);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    kind: fc.constant("document" as const),
    key: keyArbitrary,
    set: fc.record(
      {
        revision: fc.option(fc.string(), { nil: undefined }),
        content: fc.string(),
        order: fc.option(fc.constantFrom("1", "99999999999999999999"), { nil: undefined }),
        seen: fc.nat(5),
        gone: fc.boolean(),
        owed: fc.boolean(),
        failure: fc.option(failure, { nil: undefined }),
        counted: fc.option(
          fc.record({
            session: fc.nat(9),
            outcome: fc.constantFrom("listed" as const, "failed" as const),
          }),
          { nil: undefined },
        ),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    kind: fc.constant("begin" as const),
    key: keyArbitrary,
    target: fc.constantFrom(...targets),
    ids: recordIds,
  }),
  fc.record({
    kind: fc.constant("settle" as const),
    key: keyArbitrary,
    target: fc.constantFrom(...targets),
    version: fc.string(),
    ids: recordIds,
  }),
  fc.record({
    kind: fc.constant("clear" as const),
    key: keyArbitrary,
    target: fc.constantFrom(...targets),
  }),
  fc.record({ kind: fc.constant("forget" as const), key: keyArbitrary }),
  fc.record({
    kind: fc.constant("forget-target" as const),
    target: fc.constantFrom(...targets),
  }),
  fc.record({
    kind: fc.constant("target" as const),
    info: fc.record({
      target: fc.constantFrom(...targets),
      sink: fc.string(),
      address: fc.string(),
      dimension: fc.nat(),
      space: fc.string(),
      markerSeq: fc.nat(),
      attemptedSeq: fc.nat(),
    }),
  }),
  fc.record({
    kind: fc.constant("source" as const),
    row: fc.record({
      name: fc.constantFrom(...sources),
      identity: fc.string(),
      cursor: fc.option(fc.dictionary(fc.constantFrom("a", "b"), fc.nat()), { nil: undefined }),
      generation: fc.nat(),
      swept: fc.boolean(),
      completeAt: fc.option(fc.nat(), { nil: undefined }),
    }),
  }),
  fc.record({
    kind: fc.constant("forget-source" as const),
    name: fc.constantFrom(...sources),
  }),
  fc.record({
    kind: fc.constant("deletions" as const),
    source: fc.constantFrom(...sources),
    at: fc.nat(50),
    count: fc.nat(9),
  }),
  fc.record({
    kind: fc.constant("run" as const),
    row: fc.record({
      id: fc.constantFrom("r1", "r2", "r3"),
      startedAt: fc.nat(),
      endedAt: fc.option(fc.nat(), { nil: undefined }),
      status: fc.constantFrom("running" as const, "succeeded" as const),
      summary: fc.option(fc.constant({ tokens: 1 }), { nil: undefined }),
    }),
  }),
  fc.record({
    kind: fc.constant("value" as const),
    key: fc.constantFrom("probe", "recipe"),
    value: fc.constantFrom(null, 1.5, "text", { deep: [true, "😀"] }),
  }),
);

const queries: DocumentQuery[] = [
  {},
  { source: "docs" },
  { seenBefore: 2, pageSize: 1 },
  { gone: true },
  { gone: false, owed: true },
  { failed: true },
  { failed: false, target: "t1" },
  { owed: false, source: "文", pageSize: 2 },
];

async function everything(session: StateSession): Promise<unknown> {
  const pages: DocumentRow[][] = [];
  for (const query of queries) {
    const rows: DocumentRow[] = [];
    for await (const page of session.pages(query)) {
      expect(page.length).toBeLessThanOrEqual(query.pageSize ?? 500);
      rows.push(...page);
    }
    pages.push(rows);
  }
  const lookedUp = await session.lookup([
    ...sources.flatMap((source) => ids.map((id) => ({ source, id }))),
    { source: "docs", id: "a" },
  ]);
  return {
    pages,
    lookedUp,
    counts: await Promise.all(queries.map((query) => session.count(query))),
    indexed: [await session.count({ indexed: true }), await session.count({ indexed: false })],
    sources: (await session.sources()).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    targets: (await session.targets()).toSorted((a, b) => (a.target < b.target ? -1 : 1)),
    deletions: await Promise.all(sources.map((source) => session.deletionsSince(source, 20))),
    runs: await session.runs(2),
    values: [await session.value("probe"), await session.value("recipe")],
  };
}

test("after any commits the sqlite and the memory store say the same, also when opened again", async () => {
  const folder = temporaryFolder();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(mutation, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
      fc.boolean(),
      async (drawn, durable) => {
        // fast-check draws objects without a prototype; those that come from JSON have one.
        const commits = structuredClone(drawn);
        number += 1;
        const sqlite = sqliteStateStore({ path: join(folder, `${number}.sqlite`) });
        const memory = memoryStateStore();
        const open = { pipeline: "p", mode: "write" } as const;
        const [left, right] = [await sqlite.open(open, signal), await memory.open(open, signal)];
        const outcomes = await Promise.all(
          [left, right].map((session) =>
            Promise.all(
              commits.map((mutations) =>
                session.commit(mutations, { durable }).then(
                  () => "taken",
                  (error: Error) => error.message,
                ),
              ),
            ),
          ),
        );
        expect(outcomes[0]).toStrictEqual(outcomes[1]);
        expect(await everything(left)).toStrictEqual(await everything(right));
        await sqlite.close();
        const again = await sqlite.open({ pipeline: "p", mode: "read" }, signal);
        expect(await everything(again!)).toStrictEqual(await everything(right));
        await sqlite.close();
      },
    ),
    { numRuns: 25 },
  );
});
