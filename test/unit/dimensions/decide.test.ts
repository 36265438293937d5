import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CollectionDescription, EmbeddingModel } from "../../../src/contracts/index.ts";
import {
  decideDimension,
  type DimensionInput,
  type DimensionRefusal,
} from "../../../src/dimensions/index.ts";

const small: EmbeddingModel = {
  id: "Qwen/Qwen3-Embedding-0.6B",
  dimensions: { native: 1024, min: 32, matryoshka: true },
  contextTokens: 32_768,
  prompts: { document: "{text}", query: "{text}" },
};
const rigid: EmbeddingModel = {
  ...small,
  id: "BAAI/bge-m3",
  dimensions: { native: 1024, min: 1024, matryoshka: false },
};

function input(changes: Partial<DimensionInput> = {}): DimensionInput {
  return {
    sink: "search",
    address: "`handbook` in ./index",
    pipeline: "handbook",
    model: small,
    configured: "auto",
    live: undefined,
    spaceHash: "space-of-this-pipeline",
    createMetric: "cosine",
    ...changes,
  };
}

function live(changes: Partial<CollectionDescription> = {}): CollectionDescription {
  return { dimension: 1024, elementType: "float32", records: 0, misfits: [], ...changes };
}

function marker(dimension: number, hash = "space-of-this-pipeline") {
  return {
    version: 1,
    incarnation: "0198c0de-0000-8000-8000-000000000001",
    space: { hash, model: "another-model" },
    dimension,
    probe: "",
    pipelines: {},
  } as const;
}

/** A collection of another space under the same model's name. */
function sameModel(dimension: number): CollectionDescription {
  const other = marker(dimension, "elsewhere");
  const space = { ...other.space, model: input().model.id };
  return live({ dimension, marker: { ...other, space } });
}

function refusal(changes: Partial<DimensionInput>): DimensionRefusal {
  const decision = decideDimension(input(changes));
  if (decision.kind !== "refuse") throw new Error(`not refused: ${JSON.stringify(decision)}`);
  return decision;
}

describe("a collection that does not exist", () => {
  it("is created at the model's native dimension when the file says auto", () => {
    expect(decideDimension(input())).toEqual({
      kind: "create",
      dimension: 1024,
      metric: "cosine",
      sliced: false,
      elementType: "float32",
    });
  });

  it("is created at the configured number, with the configured metric", () => {
    const decision = decideDimension(input({ configured: 256, createMetric: "dot" }));
    expect(decision).toMatchObject({ kind: "create", dimension: 256, metric: "dot", sliced: true });
  });

  it("is refused above the native dimension, naming the models that reach it", () => {
    expect(refusal({ configured: 4096 })).toEqual({
      kind: "refuse",
      code: "refused.dimension",
      reason:
        "Sink `search`: the collection `handbook` in ./index is to get dimension 4096; the model " +
        "`Qwen/Qwen3-Embedding-0.6B` gives 32 to 1024.",
      remedy:
        "Embed with a model that gives them (`Qwen/Qwen3-Embedding-8B`). " +
        "With this model set `dimension` to a number from 32 to 1024.",
    });
    expect(refusal({ configured: 2000 }).remedy).toContain("`Qwen/Qwen3-Embedding-4B`");
    expect(refusal({ configured: 9000 }).remedy).toContain(
      "No catalogued model gives 9000 numbers.",
    );
  });

  it("is refused below the model's minimum", () => {
    expect(refusal({ configured: 31 }).reason).toContain("dimension 31; the model");
    expect(decideDimension(input({ configured: 32 })).kind).toBe("create");
  });

  it("is refused at any other number when the model is not Matryoshka", () => {
    expect(refusal({ configured: 512, model: rigid }).reason).toContain(
      "gives 1024 and cannot be sliced (it is not Matryoshka)",
    );
    expect(refusal({ configured: 512, model: rigid }).remedy).toContain("set `dimension` to 1024");
    expect(decideDimension(input({ configured: 1024, model: rigid })).kind).toBe("create");
  });
});

describe("a collection that exists", () => {
  it("decides the dimension when the file says auto", () => {
    const decision = decideDimension(input({ live: live({ dimension: 256 }) }));
    expect(decision).toMatchObject({ kind: "open", dimension: 256, sliced: true });
  });

  it("is opened when the configured number is its own", () => {
    expect(decideDimension(input({ configured: 1024, live: live() })).kind).toBe("open");
  });

  it("is refused when the configured number is another", () => {
    const { reason, remedy } = refusal({ configured: 512, live: live({ dimension: 256 }) });
    expect(reason).toContain("has dimension 256, `dimension: 512` is configured.");
    expect(remedy).toContain("Set `dimension: auto`");
  });

  it("is refused when it is wider than the model", () => {
    const { code, reason, remedy } = refusal({ live: live({ dimension: 4096 }) });
    expect(code).toBe("refused.dimension");
    expect(reason).toContain("has dimension 4096; the model `Qwen/Qwen3-Embedding-0.6B` gives 32");
    expect(remedy).toContain("`Qwen/Qwen3-Embedding-8B`");
    expect(remedy).toContain("name a collection of dimension 32 to 1024");
  });

  it("is refused when it is narrower than a model that cannot be sliced", () => {
    expect(refusal({ model: rigid, live: live({ dimension: 512 }) }).code).toBe(
      "refused.dimension",
    );
  });

  it("keeps its metric whatever `create` says", () => {
    const decision = decideDimension(input({ live: live({ metric: "euclidean" }) }));
    expect(decision).toMatchObject({ metric: "euclidean" });
  });

  it("is compared by the configured metric when the store decides at query time", () => {
    const decision = decideDimension(input({ live: live(), createMetric: "dot" }));
    expect(decision).toMatchObject({ metric: "dot" });
  });

  it("is refused when its metric does not suit normalised vectors", () => {
    const unnamed = refusal({ live: live({ metric: "other" }) });
    expect(unnamed.code).toBe("refused.metric");
    expect(unnamed.reason).toContain("by a metric that does not suit normalised vectors");
    const named = refusal({ live: live({ metric: "other", metricName: "manhattan" }) });
    expect(named.reason).toContain("by `manhattan`, which does not suit normalised vectors");
  });

  it.each(["float16", "bfloat16"] as const)("takes %s, which the adapter converts", (type) => {
    const decision = decideDimension(input({ live: live({ elementType: type }) }));
    expect(decision).toMatchObject({ kind: "open", elementType: type });
  });

  it.each([
    ["binary", "binary vectors"],
    ["int8", "8-bit integer vectors"],
    ["sparse", "sparse vectors only"],
    ["multivector", "several vectors for each record"],
  ] as const)("is refused by name when it holds %s", (elementType, name) => {
    const { code, reason } = refusal({ live: live({ elementType }) });
    expect(code).toBe("refused.element");
    expect(reason).toContain(name);
  });

  it("is refused when it holds another embedding space, naming both", () => {
    const { code, reason, remedy } = refusal({
      live: live({ marker: marker(1024, "elsewhere") }),
    });
    expect(code).toBe("refused.space");
    expect(reason).toContain("`another-model` (elsewhere)");
    expect(reason).toContain("`Qwen/Qwen3-Embedding-0.6B`");
    expect(remedy).toContain("sluice forget --sink search");
  });

  it("is refused when it holds another space of the same model, and says what differs", () => {
    const length = refusal({ live: sameModel(2048) });
    expect(length.code).toBe("refused.space");
    expect(length.reason).toContain("vectors of 2048 numbers");
    expect(length.reason).toContain("now gives 1024");
    expect(length.remedy).toContain("back to what it was");
    // A shorter collection may be a slice: the length proves nothing.
    for (const dimension of [1024, 512]) {
      const { reason } = refusal({ live: sameModel(dimension) });
      expect(reason).toContain("revision, its document prompt or its native length");
      expect(reason).not.toContain("space-of-th");
    }
  });

  it("is refused when it holds records that are nobody's, until they are adopted", () => {
    const unmarked = live({ records: 3 });
    const { code, reason, remedy } = refusal({ live: unmarked });
    expect(code).toBe("refused.records");
    expect(reason).toContain("3 records");
    expect(remedy).toContain("sluice adopt --sink search");
    expect(decideDimension(input({ live: unmarked, adopting: true })).kind).toBe("open");
  });

  it("is opened when it is empty and unmarked", () => {
    expect(decideDimension(input({ live: live({ records: 0 }) })).kind).toBe("open");
  });

  it("is refused when its marker tells of another dimension than it has", () => {
    const { code, reason } = refusal({ live: live({ dimension: 512, marker: marker(1024) }) });
    expect(code).toBe("refused.dimension");
    expect(reason).toContain("has dimension 512, its marker says 1024");
  });

  it("is refused for its schema before its records, which nobody could adopt", () => {
    const foreign = live({ records: 3, misfits: ["No column `text`."] });
    expect(refusal({ live: foreign }).code).toBe("refused.schema");
    const { dimension: _, ...shapeless } = foreign;
    expect(refusal({ live: shapeless }).code).toBe("refused.schema");
  });

  it("is refused for a dimension that cannot be before its records, which would be adopted in vain", () => {
    const wide = live({ dimension: 4096, records: 3 });
    expect(refusal({ live: wide }).code).toBe("refused.dimension");
    expect(refusal({ live: wide, adopting: true }).code).toBe("refused.dimension");
    const other = live({ dimension: 256, records: 3 });
    expect(refusal({ live: other, configured: 512, adopting: true }).code).toBe(
      "refused.dimension",
    );
  });

  it("is refused when the records do not fit its schema, with every misfit", () => {
    const { code, reason } = refusal({
      live: live({ misfits: ["No column `text`.", "No `id`."] }),
    });
    expect(code).toBe("refused.schema");
    expect(reason).toContain("No column `text`. No `id`.");
  });
});

describe("a store that cannot tell the dimension of an empty collection", () => {
  const { dimension: _, ...unknown } = live();

  it("is settled by the configured number", () => {
    const decision = decideDimension(input({ configured: 256, live: unknown }));
    expect(decision).toMatchObject({ kind: "open", dimension: 256 });
  });

  it("is settled by the marker, which remembers it", () => {
    const remembered = { ...unknown, marker: marker(256) };
    expect(decideDimension(input({ live: remembered }))).toMatchObject({ dimension: 256 });
    expect(refusal({ live: remembered, configured: 512 }).code).toBe("refused.dimension");
  });

  it("is refused when nothing says it", () => {
    expect(refusal({ live: unknown }).remedy).toContain("Set `sinks.search.dimension` to a number");
  });
});

describe("every combination", () => {
  const dimensions = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(32, 256, 1024));
  const models = fc
    .record({ native: dimensions, min: dimensions, matryoshka: fc.boolean() })
    .map((range) => ({
      ...small,
      dimensions: { ...range, min: Math.min(range.min, range.native) },
    }));
  const lives = fc.option(
    fc.record({
      dimension: fc.option(dimensions, { nil: undefined }),
      metric: fc.constantFrom(undefined, "cosine", "dot", "euclidean", "other"),
      elementType: fc.constantFrom("float32", "float16", "bfloat16", "int8", "binary", "sparse"),
      records: fc.constantFrom(0, 1, 5),
      marker: fc.option(
        fc.tuple(dimensions, fc.boolean()).map(([n, own]) => marker(n, own ? "a" : "b")),
        { nil: undefined },
      ),
      misfits: fc.constantFrom<string[]>([], ["No column `text`."]),
    }),
    { nil: undefined },
  );
  const inputs = fc.record({
    model: models,
    live: lives.map((value) => value as CollectionDescription | undefined),
    configured: fc.oneof(fc.constant("auto" as const), dimensions),
    adopting: fc.boolean(),
  });

  it("writes at the live dimension, which the model reaches, or is refused with a remedy", () => {
    let agreed = 0;
    fc.assert(
      fc.property(inputs, (changes) => {
        const decision = decideDimension(input({ ...changes, spaceHash: "a" }));
        if (decision.kind === "refuse") {
          expect(decision.reason).toContain("search");
          expect(decision.remedy.length).toBeGreaterThan(20);
          return;
        }
        agreed++;
        const { native, min, matryoshka } = changes.model.dimensions;
        const { dimension, sliced } = decision;
        const known = changes.live?.dimension ?? changes.live?.marker?.dimension;
        if (known !== undefined) expect(dimension).toBe(known);
        if (changes.configured !== "auto") expect(dimension).toBe(changes.configured);
        expect(dimension).toBeLessThanOrEqual(native);
        expect(sliced).toBe(dimension !== native);
        if (sliced) expect(matryoshka && dimension >= min).toBe(true);
        expect(decision.kind).toBe(changes.live === undefined ? "create" : "open");
        if (changes.live?.marker !== undefined) {
          expect(changes.live.marker.space.hash).toBe("a");
        } else if (changes.live !== undefined && !changes.adopting) {
          expect(changes.live.records).toBe(0);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(agreed).toBeGreaterThan(500);
  });
});
