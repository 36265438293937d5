import { describe, expect, it } from "vitest";
import type {
  DocumentRef,
  DocumentRow,
  FailureRow,
  TargetRow,
} from "../../../src/contracts/index.ts";
import {
  failureRevision,
  isOutdated,
  reconcile,
  type ReconcileInput,
  staleTargets,
} from "../../../src/engine/reconcile.ts";
import { versionOf } from "../../../src/engine/versions.ts";
import { RigSource } from "./rig/source.ts";

const document: DocumentRef = new RigSource().refOf("a", { text: "", revision: "r1" });
const targets = [
  { id: "one", base: "base one" },
  { id: "two", base: "base two" },
];
const metadata = "metadata hash";

function settled(target: number, content = "content", base?: string): TargetRow {
  const version = versionOf(base ?? targets[target]?.base ?? "", content, metadata);
  return { status: "settled", version, ids: ["id"] };
}

const begun: TargetRow = { status: "begun", version: "", ids: ["id"] };
const both = new Map([
  ["one", settled(0)],
  ["two", settled(1)],
]);

const row: DocumentRow = {
  source: "docs",
  id: "a",
  revision: "r1",
  content: "content",
  order: undefined,
  seen: 1,
  gone: false,
  owed: false,
  targets: both,
  failure: undefined,
  counted: undefined,
};

const failure: FailureRow = {
  stage: "parse",
  code: "parse.malformed",
  message: "",
  retry: "never",
  scope: "document",
  revision: failureRevision(document, metadata),
  recipe: "recipe",
  attempts: 1,
  since: 1,
  firstAt: 0,
  lastAt: 0,
  accepted: false,
};

const input: ReconcileInput = { document, row, metadata, recipe: "recipe", targets, full: false };
const heldBy = (one: TargetRow | undefined, two: TargetRow | undefined): DocumentRow => {
  const entries = [["one", one] as const, ["two", two] as const];
  const held = entries.flatMap(([id, target]) =>
    target === undefined ? [] : [[id, target] as const],
  );
  return { ...row, targets: new Map(held) };
};

type Case = readonly [what: string, change: Partial<ReconcileInput>, kind: string];

describe("an event about a document", () => {
  const table: readonly Case[] = [
    ["that is new is work", { row: undefined }, "work"],
    ["that every target holds is nothing", {}, "unchanged"],
    ["with another revision is work", { row: { ...row, revision: "r0" } }, "work"],
    ["with no revision known is work", { row: { ...row, revision: undefined } }, "work"],
    ["that no target asks for is nothing", { targets: [] }, "unchanged"],
    ["that is to be read whatever it says is work", { full: true }, "work"],
    ["with other metadata is work", { metadata: "other" }, "work"],
    ["that one target was never given is work", { row: heldBy(settled(0), undefined) }, "work"],
    ["that one target only began is work", { row: heldBy(settled(0), begun) }, "work"],
    [
      "that one target holds of old is work",
      { row: heldBy(settled(0), settled(1, "old")) },
      "work",
    ],
    [
      "that one target holds by another recipe is work",
      { row: heldBy(settled(0), settled(1, "content", "old base")) },
      "work",
    ],
    [
      "that a target which no longer counts holds of old is nothing",
      { targets: targets.slice(0, 1), row: heldBy(settled(0), settled(1, "old")) },
      "unchanged",
    ],
    ["that failed for good is dead", { row: { ...row, failure } }, "dead"],
    [
      "that failed for good is work when it is to be read whatever it says",
      { row: { ...row, failure }, full: true },
      "work",
    ],
    [
      "that failed for good in another revision is work",
      { row: { ...row, failure: { ...failure, revision: "r0/metadata hash" } } },
      "work",
    ],
    [
      "that failed for good by another recipe is work",
      { row: { ...row, failure: { ...failure, recipe: "old" } } },
      "work",
    ],
    [
      "that failed for good while its revision was provisional is work",
      { row: { ...row, failure }, document: { ...document, provisional: true } },
      "work",
    ],
    [
      "that failed in passing is work, though every target holds it",
      { row: { ...row, failure: { ...failure, retry: "later" } } },
      "work",
    ],
    [
      "that a sink refused for good is dead",
      { row: { ...heldBy(settled(0), begun), failure: { ...failure, stage: "write" } } },
      "dead",
    ],
    [
      "that a sink refused for good is work for a sink that was not asked",
      { row: { ...heldBy(undefined, begun), failure: { ...failure, stage: "write" } } },
      "work",
    ],
    [
      "that could not be parsed is dead also for a sink that was not asked",
      { row: { ...heldBy(settled(0), undefined), failure } },
      "dead",
    ],
    [
      "with a smaller order than known is outdated, whatever else",
      { document: { ...document, order: 9n, revision: "r2" }, row: { ...row, order: "10" } },
      "outdated",
    ],
    [
      "with the order known is no older",
      { document: { ...document, order: 10n }, row: { ...row, order: "10" } },
      "unchanged",
    ],
  ];

  it.each(table)("%s", (_what, change, kind) => {
    expect(reconcile({ ...input, ...change }).kind).toBe(kind);
  });
});

describe("orders", () => {
  it.each<[bigint | undefined, string | undefined, boolean]>([
    [undefined, undefined, false],
    [undefined, "5", false],
    [5n, undefined, false],
    [4n, "5", true],
    [5n, "5", false],
    [6n, "5", false],
    [9n, "10", true],
    [2n ** 70n, String(2n ** 70n + 1n), true],
    [-2n, "-1", true],
  ])("%s against %s is outdated: %s", (order, known, expected) => {
    expect(isOutdated(order, { ...row, order: known })).toBe(expected);
  });
});

describe("the targets that are stale", () => {
  it("are all of a document that is not known", () => {
    expect(staleTargets(undefined, targets, "content", metadata)).toEqual(targets);
  });

  it("are none after every one has settled this version", () => {
    expect(staleTargets(row, targets, "content", metadata)).toEqual([]);
    expect(staleTargets(row, targets, "other", metadata)).toEqual(targets);
  });
});
