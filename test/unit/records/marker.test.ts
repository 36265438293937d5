import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CollectionMarker, PipelineMark } from "../../../src/contracts/index.ts";
import {
  markChanges,
  pipelineMarkSchema,
  sharedMarkerSchema,
} from "../../../src/records/marker.ts";

const name = fc.constantFrom("one", "two", "three", "toString");
const mark = fc.record({ stateId: fc.constantFrom("a", "b"), runSeq: fc.integer({ max: 3 }) });
const marks = fc.dictionary(name, mark);

function markerOf(
  pipelines: Readonly<Record<string, PipelineMark>>,
  incarnation = "first",
): CollectionMarker {
  const space = { hash: "h", model: "m" };
  return { version: 1, incarnation, space, dimension: 8, probe: "AAAA", pipelines };
}

/** What stands in the store after a client has written its changes over what is there. */
function written(
  there: CollectionMarker["pipelines"],
  { changed, gone }: ReturnType<typeof markChanges>,
): CollectionMarker["pipelines"] {
  const kept = Object.entries(there).filter(([pipeline]) => !gone.includes(pipeline));
  return Object.fromEntries([...kept, ...changed]);
}

describe("the changes of a marker", () => {
  it("make it out of the one that was seen", () => {
    const law = fc.property(marks, marks, (before, after) => {
      const changes = markChanges(markerOf(after), markerOf(before));
      expect(written(before, changes)).toEqual(after);
    });
    fc.assert(law);
  });

  it("leave alone what another pipeline has marked since", () => {
    const law = fc.property(marks, mark, mark, (before, others, own) => {
      const seen = markerOf(before);
      const changes = markChanges(markerOf({ ...before, mine: own }), seen);
      const there = { ...before, "somebody else's": others };
      expect(written(there, changes)).toEqual({ ...there, mine: own });
    });
    fc.assert(law);
  });

  it("are all of it for an incarnation that was not seen", () => {
    const pipelines = { one: { stateId: "a", runSeq: 1 } };
    const all = { changed: Object.entries(pipelines), gone: [] };
    expect(markChanges(markerOf(pipelines), undefined)).toEqual(all);
    expect(markChanges(markerOf(pipelines), markerOf(pipelines, "another"))).toEqual(all);
    expect(markChanges(markerOf(pipelines), markerOf(pipelines))).toEqual({
      changed: [],
      gone: [],
    });
  });
});

describe("the form of a stored marker", () => {
  const { pipelines: _, ...shared } = markerOf({});

  it("is that of every marker", () => {
    expect(sharedMarkerSchema.parse(shared)).toEqual(shared);
    const one = { stateId: "a", runSeq: 1 };
    expect(pipelineMarkSchema.parse(one)).toEqual(one);
  });

  it.each([{ version: 2 }, { incarnation: "" }, { dimension: 0 }, { probe: undefined }])(
    "is not one with %j",
    (change) => {
      expect(sharedMarkerSchema.safeParse({ ...shared, ...change }).success).toBe(false);
    },
  );
});
