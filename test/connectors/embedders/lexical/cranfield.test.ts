import { describe, expect, it } from "vitest";
import {
  bm25Ndcg,
  type Collection,
  findCranfield,
  lexicalNdcg,
  readCranfield,
} from "../../../../bench/cranfield.ts";

/** A few texts in place of the collection, where that is not at hand. */
const inline: Collection = {
  documents: new Map([
    ["1", "An experimental study of a wing in a propeller slipstream and its spanwise lift."],
    ["2", "Simple shear flow past a flat plate in an incompressible fluid of small viscosity."],
    ["3", "Approximate solutions of the boundary layer equations with suction."],
    ["4", "One-dimensional transient heat conduction into a double-layer slab."],
    ["5", "Calibration of pressure tubes for hypersonic wind tunnels."],
    ["6", "The buckling of thin cylindrical shells under axial compression."],
  ]),
  queries: [
    { text: "lift of wings in slipstreams", gains: new Map([["1", 4]]) },
    { text: "what viscous flows over plates are known", gains: new Map([["2", 4]]) },
    { text: "how is heat conducted in slabs", gains: new Map([["4", 3]]) },
    { text: "shells that buckle when compressed", gains: new Map([["6", 2]]) },
  ],
};

const folder = findCranfield();
const collection = folder === undefined ? inline : readCranfield(folder);

describe(`lexical retrieval on ${folder === undefined ? "six texts" : "Cranfield"}`, () => {
  it("reaches nDCG@10 of 0.30 at 1024 dimensions and 0.24 at 256", async () => {
    const reached = await lexicalNdcg(collection, [1024, 256]);
    expect(reached.get(1024)).toBeGreaterThanOrEqual(0.3);
    expect(reached.get(256)).toBeGreaterThanOrEqual(0.24);
  });

  it("is measured as others measure: BM25 gets what is known of it", () => {
    const figure = bm25Ndcg(collection);
    if (folder === undefined) expect(figure).toBeGreaterThan(0.5);
    else expect(figure).toBeCloseTo(0.334, 2);
  });
});
