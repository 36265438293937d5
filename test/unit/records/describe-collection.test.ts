import { describe, expect, it } from "vitest";
import { describeCollection, type Findings } from "../../../src/records/describe-collection.ts";
import { makeMarker } from "../../../src/testkit/sink-harness.ts";

const known: Findings = {
  dimension: 8,
  metric: "other",
  metricName: "HAMMING",
  elementType: "float32",
  records: 3,
  marker: makeMarker(8),
  misfits: ["It is round."],
};

describe("the description of a collection", () => {
  it("says what is known", () => {
    expect(describeCollection(known)).toStrictEqual(known);
  });

  it.each(["dimension", "metric", "metricName", "marker"] as const)(
    "has no %s when none is known",
    (key) => {
      const { [key]: _, ...rest } = known;
      expect(describeCollection({ ...known, [key]: undefined })).toStrictEqual(rest);
    },
  );
});
