import { describe, expect, it } from "vitest";
import { isFault } from "../../../src/faults/index.ts";
import {
  checkQuery,
  collectionExists,
  collectionMissing,
  collectionUnusable,
  markerUnreadable,
  recordRejected,
} from "../../../src/records/refusals.ts";
import { makeRecord } from "../../../src/testkit/sink-harness.ts";

const address = "`handbook` at 127.0.0.1";

describe("a refusal", () => {
  it.each([
    [collectionExists(address), "sink.rejected", "component"],
    [collectionMissing(address), "sink.missing", "component"],
    [collectionUnusable(address, "It is round."), "sink.foreign", "component"],
    [markerUnreadable(address, new Error("odd")), "sink.foreign", "component"],
  ])("of a collection names it, and is about it alone: %s", (fault, code, scope) => {
    expect(fault).toMatchObject({ code, scope, retry: "never", ambiguous: false });
    expect(fault.message).toContain(address);
  });

  it("of a record names it and its document, and is about it alone", () => {
    const record = makeRecord(1, 4);
    const fault = recordRejected(record, "it is round");
    expect(fault).toMatchObject({ code: "sink.rejected", scope: "document", retry: "never" });
    expect(fault.message).toContain(`\`${record.id}\` of document \`${record.document}\``);
  });

  it("of a query comes for every length but the collection's", () => {
    expect(() => checkQuery(new Float32Array(4), 4, address)).not.toThrow();
    for (const length of [0, 3, 5]) {
      const search = (): void => checkQuery(new Float32Array(length), 4, address);
      expect(search).toThrow(`has ${length} numbers, the collection ${address} has 4`);
      expect(search).toThrow(expect.toSatisfy(isFault));
    }
  });
});
