import { describe, expect, it } from "vitest";
import { startIndex } from "./support.ts";

const vectors = [
  { id: "a", values: [1, 0, 0], metadata: { page: 1 } },
  { id: "b", values: [1, 1, 0], metadata: { page: 2 } },
  { id: "c", values: [0, 0, 5] },
];

interface Found {
  readonly matches: readonly { readonly id: string; readonly score: number }[];
}

describe("a query", () => {
  it.each([
    ["cosine", [1, 0, 0], { a: 1, b: Math.SQRT1_2, c: 0 }],
    ["dotproduct", [1, 2, 0.5], { b: 3, c: 2.5, a: 1 }],
    ["euclidean", [1, 0, 1], { a: 1, b: 2, c: 17 }],
  ])("by %s gives the nearest first, with their scores", async (metric, vector, scores) => {
    const { send } = await startIndex({}, { dimension: 3, metric });
    await send("POST /vectors/upsert", { vectors });
    const { body, status } = await send("POST /query", { vector, topK: 3 });
    expect(status).toBe(200);
    const { matches } = body as Found;
    expect(matches.map(({ id }) => id)).toEqual(Object.keys(scores));
    for (const [index, score] of Object.values(scores).entries()) {
      expect(matches[index]?.score).toBeCloseTo(score, 6);
    }
    const { body: nearest } = await send("POST /query", { vector, topK: 1 });
    expect((nearest as Found).matches).toEqual(matches.slice(0, 1));
  });

  it("gives values and metadata only when asked to", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors });
    const ask = { vector: [1, 0, 0], topK: 1 };
    expect((await send("POST /query", ask)).body).toEqual({
      matches: [{ id: "a", score: 1, values: [] }],
      namespace: "__default__",
      usage: { readUnits: 1 },
    });
    const all = { ...ask, includeValues: true, includeMetadata: true };
    expect((await send("POST /query", all)).body).toMatchObject({
      matches: [{ id: "a", score: 1, values: [1, 0, 0], metadata: { page: 1 } }],
    });
  });

  it("by id finds the record itself, and nothing for an id that is not there", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors });
    const { body } = await send("POST /query", { id: "c", topK: 1 });
    expect(body).toMatchObject({ matches: [{ id: "c", score: 1 }] });
    expect((await send("POST /query", { id: "zzz", topK: 1 })).body).toMatchObject({ matches: [] });
  });

  it("searches one namespace, and only what a filter finds", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors });
    const ask = { vector: [1, 0, 0], topK: 3 };
    const filtered = await send("POST /query", { ...ask, filter: { page: { $gt: 1 } } });
    expect((filtered.body as Found).matches.map(({ id }) => id)).toEqual(["b"]);
    const other = await send("POST /query", { ...ask, namespace: "other" });
    expect(other).toMatchObject({ status: 200, body: { matches: [], namespace: "other" } });
    expect(await send("POST /query", { ...ask, filter: { page: null } })).toMatchObject({
      status: 400,
    });
  });

  it("comes back in another order than by score, once there are three matches, when told to", async () => {
    const { send } = await startIndex({ unsortedMatches: true });
    await send("POST /vectors/upsert", { vectors });
    const order = async (topK: number): Promise<string[]> => {
      const { body } = await send("POST /query", { vector: [1, 0, 0], topK });
      return (body as Found).matches.map(({ id }) => id);
    };
    expect(await order(2)).toEqual(["a", "b"]);
    expect(await order(3)).toEqual(["c", "b", "a"]);
  });

  it("adds sparse vectors to dense ones, by dot product only", async () => {
    const { send } = await startIndex({}, { dimension: 3, metric: "dotproduct" });
    const sparse = { indices: [7, 9], values: [1, 4] };
    await send("POST /vectors/upsert", {
      vectors: [...vectors, { id: "d", values: [0.5, 0, 0], sparseValues: sparse }],
    });
    const { body } = await send("POST /query", {
      vector: [1, 0, 0],
      sparseVector: { indices: [9, 1], values: [2, 1] },
      topK: 1,
      includeValues: true,
    });
    expect(body).toMatchObject({ matches: [{ id: "d", score: 8.5, sparseValues: sparse }] });
  });
});

describe("a sparse index", () => {
  it("takes sparse vectors alone", async () => {
    const { send } = await startIndex({}, { vector_type: "sparse" });
    const upsert = (record: object) =>
      send("POST /vectors/upsert", { vectors: [{ id: "a", ...record }] });
    const sparseValues = { indices: [1, 5], values: [0.5, 1] };
    for (const refused of [
      { values: [1, 2, 3] },
      { values: [1, 2, 3], sparseValues },
      { sparseValues: { indices: [1], values: [1, 2] } },
      { sparseValues: { indices: [], values: [] } },
      { sparseValues: { indices: [1, 1], values: [1, 2] } },
      { sparseValues: { indices: [-1], values: [1] } },
      { sparseValues: { indices: [1], values: [null] } },
    ]) {
      expect(await upsert(refused), JSON.stringify(refused)).toMatchObject({ status: 400 });
    }
    expect(await upsert({ sparseValues })).toMatchObject({ status: 200 });
    expect((await send("GET /vectors/fetch?ids=a")).body).toMatchObject({
      vectors: { a: { id: "a", sparseValues } },
    });
    const ask = { sparseVector: { indices: [5], values: [3] }, topK: 1 };
    expect((await send("POST /query", ask)).body).toMatchObject({
      matches: [{ id: "a", score: 3 }],
    });
    expect(await send("POST /query", { vector: [1], topK: 1 })).toMatchObject({ status: 400 });
    const { body } = await send("POST /describe_index_stats", {});
    expect(body).toMatchObject({ vectorType: "sparse", metric: "dotproduct" });
    expect(body).not.toHaveProperty("dimension");
  });
});
