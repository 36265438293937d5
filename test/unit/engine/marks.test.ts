import { describe, expect, it } from "vitest";
import type { CollectionMarker, TargetInfo } from "../../../src/contracts/index.ts";
import { checkMark, withMark } from "../../../src/engine/marks.ts";

type Marks = CollectionMarker["pipelines"];
type Sequences = readonly [written: number, tried: number];

function markerOf(pipelines: Marks): CollectionMarker {
  const space = { hash: "h", model: "m" };
  return { version: 1, incarnation: "i", space, dimension: 8, probe: "", pipelines };
}

function infoOf(sequences: Sequences | undefined): TargetInfo | undefined {
  if (sequences === undefined) return undefined;
  const [markerSeq, attemptedSeq] = sequences;
  const rest = { target: "i", sink: "s", address: "a", dimension: 8, space: "h" };
  return { ...rest, markerSeq, attemptedSeq };
}

const ours = (runSeq: number): Marks => ({ us: { stateId: "state", runSeq } });
const foreign = (runSeq: number): Marks => ({ us: { stateId: "another", runSeq } });
const before = (runSeq: number): Marks => ({ old: { stateId: "state", runSeq } });

describe("a state at a collection", () => {
  const table: readonly (readonly [string, Marks, Sequences | undefined, string])[] = [
    ["that nobody marked joins", {}, undefined, "join"],
    ["that only others marked joins", { them: { stateId: "x", runSeq: 3 } }, undefined, "join"],
    ["where its first mark was tried and is not there joins", {}, [0, 1], "join"],
    ["that lost its mark is refused", {}, [1, 1], "does not name this pipeline"],
    ["marked by another state is refused", foreign(1), undefined, "another state"],
    ["marked by another state, which it knew, is refused", foreign(1), [1, 1], "another state"],
    ["that it never saw is refused", ours(1), undefined, "does not remember this collection"],
    ["where both agree goes on", ours(5), [5, 5], "known"],
    ["where its last mark was tried and is there goes on", ours(6), [5, 6], "known"],
    ["where its last mark was tried and is not there goes on", ours(5), [5, 6], "known"],
    ["where a mark between two tries landed goes on", ours(6), [5, 7], "known"],
    ["whose mark is older than what was written is refused", ours(4), [5, 5], "remembers run 5"],
    ["whose mark is newer than what was tried is refused", ours(7), [5, 6], "only remembers run 6"],
    ["marked under its former name goes on", before(5), [5, 5], "known"],
    ["marked under its former name by another run is refused", before(6), [5, 5], "only remembers"],
  ];

  it.each(table)("%s", (_what, pipelines, sequences, expected) => {
    const decision = checkMark({
      marker: markerOf(pipelines),
      pipeline: "us",
      previously: "old",
      stateId: "state",
      info: infoOf(sequences),
    });
    if (decision.kind === "refuse") expect(decision.reason).toContain(expected);
    else expect(decision.kind).toBe(expected);
  });

  it("does not look at a former name that it does not have", () => {
    const options = { pipeline: "us", previously: undefined, stateId: "state", info: undefined };
    expect(checkMark({ ...options, marker: markerOf(before(5)) }).kind).toBe("join");
  });

  it("prefers its own mark to that of its former name", () => {
    const marker = markerOf({ ...before(9), ...ours(5) });
    const options = { pipeline: "us", previously: "old", stateId: "state", info: infoOf([5, 5]) };
    expect(checkMark({ ...options, marker }).kind).toBe("known");
  });
});

describe("a mark", () => {
  it("replaces the pipeline's own and the one of its former name, and leaves the others'", () => {
    const them = { stateId: "x", runSeq: 3 };
    const marker = markerOf({ them, ...before(5), ...ours(2) });
    const options = { pipeline: "us", previously: "old", stateId: "state", runSeq: 6 };
    const marked = withMark(marker, options);
    expect(marked).toEqual({ ...marker, pipelines: { them, ...ours(6) } });
    expect(marker.pipelines).toEqual({ them, ...before(5), ...ours(2) });
  });
});
