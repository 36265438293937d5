import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WriteOperation } from "../../../src/contracts/index.ts";
import { sortOperations } from "../../../src/records/sort-operations.ts";
import { makeRecord, toDelete, toUpsert } from "../../../src/testkit/sink-harness.ts";

const options = { dimension: 4, address: "`handbook`", problemOf: () => undefined };

describe("sorting the operations of a write", () => {
  it("counts the last operation on each id, and gives each id once", () => {
    const operation = fc.record({
      id: fc.integer({ min: 0, max: 5 }).map(String),
      kind: fc.constantFrom("upsert", "delete", "bad"),
      text: fc.string(),
    });
    const law = fc.property(fc.array(operation, { maxLength: 30 }), (drafts) => {
      const last = new Map(drafts.map((draft) => [draft.id, draft]));
      const operations = drafts.map(({ id, kind, text }): WriteOperation => {
        if (kind === "delete") return { kind, id };
        const page = kind === "bad" ? { page: 7 } : {};
        return toUpsert(makeRecord(1, 4, { id, text, ...page }));
      });
      const { upserts, deletes, failed } = sortOperations(operations, {
        ...options,
        problemOf: ({ page }) => (page === undefined ? undefined : "its page is 7"),
      });
      const wanted = (kind: string) => [...last.values()].filter((draft) => draft.kind === kind);
      expect(upserts.map(({ id, text }) => ({ id, text, kind: "upsert" })).toSorted(byId)).toEqual(
        wanted("upsert").toSorted(byId),
      );
      const ids = (kind: string) => wanted(kind).map(({ id }) => id);
      expect(deletes.toSorted()).toEqual(ids("delete").toSorted());
      expect([...failed.keys()].toSorted()).toEqual(ids("bad").toSorted());
    });
    fc.assert(law);
  });

  it("refuses the whole write for a vector of another length, also one that does not count", () => {
    const [good, long] = [makeRecord(1, 4), makeRecord(2, 5)];
    for (const operations of [
      [toUpsert(good), toUpsert(long)],
      [toUpsert(long), toDelete(long), toUpsert(good)],
    ]) {
      expect(() => sortOperations(operations, options)).toThrow(
        new RegExp(`record \`${long.id}\` has 5 numbers, the collection \`handbook\` takes 4`),
      );
    }
  });

  it("tells of a record that cannot be stored, for good, and of its document", () => {
    const record = makeRecord(1, 4);
    const { failed, upserts } = sortOperations([toUpsert(record)], {
      ...options,
      problemOf: () => "it is too good",
    });
    expect(upserts).toEqual([]);
    expect(failed.get(record.id)).toMatchObject({
      code: "sink.rejected",
      retry: "never",
      scope: "document",
      message: `Record \`${record.id}\` of document \`docs:page-1.md\` cannot be stored: it is too good.`,
    });
  });
});

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return Number(one.id) - Number(other.id);
}
