import { describe, expect, it } from "vitest";
import { records, refused, startIndex } from "./support.ts";

describe("upsert", () => {
  it("writes whole records, the last one of those with the same id", async () => {
    const { send } = await startIndex();
    const first = { id: "a", values: [1, 2, 3], metadata: { title: "One", year: 2001 } };
    const reply = await send("POST /vectors/upsert", {
      vectors: [first, { id: "b", values: [0.1, 0, 0] }, { id: "b", values: [0, 0.1, 0] }],
    });
    expect(reply).toMatchObject({ status: 200, body: { upsertedCount: 3 } });
    await send("POST /vectors/upsert", { vectors: [{ id: "a", values: [3, 2, 1] }] });
    const { body } = await send("GET /vectors/fetch?ids=a&ids=b&ids=c");
    expect(body).toEqual({
      namespace: "__default__",
      usage: { readUnits: 1 },
      vectors: {
        a: { id: "a", values: [3, 2, 1] },
        b: { id: "b", values: [0, Math.fround(0.1), 0] },
      },
    });
  });

  it("writes nothing when one record is refused", async () => {
    const { send, emulator } = await startIndex();
    const vectors = [...records("a", "b"), { id: "c", values: [1, 2] }];
    expect(await send("POST /vectors/upsert", { vectors })).toMatchObject({ status: 400 });
    expect(emulator.records("books").size).toBe(0);
    expect(await send("POST /describe_index_stats")).toMatchObject({ body: { namespaces: {} } });
  });

  it("keeps the same id apart in two namespaces", async () => {
    const { send, emulator } = await startIndex();
    await send("POST /vectors/upsert", {
      vectors: [{ id: "a", values: [1, 0, 0] }],
      namespace: "x",
    });
    await send("POST /vectors/upsert", {
      vectors: [{ id: "a", values: [2, 0, 0] }],
      namespace: "y",
    });
    expect(emulator.records("books", "x").get("a")?.values).toEqual(Float32Array.of(1, 0, 0));
    expect(emulator.records("books", "y").get("a")?.values).toEqual(Float32Array.of(2, 0, 0));
    expect(emulator.records("books").size).toBe(0);
  });

  it("keeps ids that JavaScript gives a meaning", async () => {
    const { send } = await startIndex();
    const ids = ["__proto__", "constructor", "toString"];
    await send("POST /vectors/upsert", { vectors: records(...ids) });
    const { body } = await send(`GET /vectors/fetch?${ids.map((id) => `ids=${id}`).join("&")}`);
    expect(Object.keys((body as { vectors: object }).vectors)).toEqual(ids);
  });
});

describe("delete", () => {
  it("deletes ids, and knows no error for those that are not there", async () => {
    const { send, emulator } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("a", "b") });
    const reply = await send("POST /vectors/delete", { ids: ["a", "zzz"] });
    expect(reply).toMatchObject({ status: 200, body: {} });
    expect([...emulator.records("books").keys()]).toEqual(["b"]);
  });

  it("deletes what a filter finds, and everything on request", async () => {
    const { send, emulator } = await startIndex();
    const vectors = records("a", "b", "c").map((record, page) => ({
      ...record,
      metadata: { page },
    }));
    await send("POST /vectors/upsert", { vectors });
    await send("POST /vectors/delete", { filter: { page: { $gte: 1 } } });
    expect([...emulator.records("books").keys()]).toEqual(["a"]);
    await send("POST /vectors/delete", { deleteAll: true });
    expect(emulator.records("books").size).toBe(0);
  });

  it("leaves the namespace when its last record goes", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("a"), namespace: "x" });
    await send("POST /vectors/delete", { deleteAll: true, namespace: "x" });
    expect(await send("POST /vectors/delete", { ids: ["a"], namespace: "x" })).toMatchObject({
      status: 200,
    });
    expect(await send("POST /describe_index_stats", {})).toMatchObject({
      body: { namespaces: { x: { vectorCount: 0 } } },
    });
  });

  it("is refused with 404 in a namespace that nobody wrote to", async () => {
    const { send } = await startIndex();
    for (const what of [{ ids: ["a"] }, { deleteAll: true }, { filter: { a: 1 } }]) {
      expect(await send("POST /vectors/delete", { ...what, namespace: "x" })).toMatchObject({
        status: 404,
        body: refused("Namespace not found", 5),
      });
    }
  });

  it("wants exactly one of ids, everything and a filter", async () => {
    const { send, emulator } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("a") });
    const filter = { a: 1 };
    for (const body of [{}, { ids: [] }, { filter: {} }, { ids: ["a"], deleteAll: true }]) {
      expect(await send("POST /vectors/delete", body)).toMatchObject({ status: 400 });
    }
    expect(await send("POST /vectors/delete", { ids: ["a"], filter })).toMatchObject({
      status: 400,
    });
    expect(emulator.records("books").size).toBe(1);
  });
});

describe("update", () => {
  it("changes values, and adds metadata to what is there", async () => {
    const { send, emulator } = await startIndex();
    const vectors = [{ id: "a", values: [1, 2, 3], metadata: { title: "One", year: 2001 } }];
    await send("POST /vectors/upsert", { vectors });
    await send("POST /vectors/update", { id: "a", setMetadata: { year: 2002, page: 7 } });
    await send("POST /vectors/update", { id: "a", values: [4, 5, 6] });
    expect(emulator.records("books").get("a")).toEqual({
      id: "a",
      values: Float32Array.of(4, 5, 6),
      metadata: { title: "One", year: 2002, page: 7 },
    });
  });

  it("makes no record of an id that is not there", async () => {
    const { send, emulator } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("a") });
    const reply = await send("POST /vectors/update", { id: "b", values: [4, 5, 6] });
    expect(reply).toMatchObject({ status: 200, body: {} });
    expect([...emulator.records("books").keys()]).toEqual(["a"]);
  });

  it("changes the metadata of all that a filter finds, unless it only counts", async () => {
    const { send, emulator } = await startIndex();
    const vectors = records("a", "b").map((record, page) => ({ ...record, metadata: { page } }));
    await send("POST /vectors/upsert", { vectors });
    const update = { filter: { page: 1 }, setMetadata: { read: true } };
    const counted = await send("POST /vectors/update", { ...update, dryRun: true });
    expect(counted).toMatchObject({ status: 200, body: { matchedRecords: 1 } });
    expect(emulator.records("books").get("b")?.metadata).toEqual({ page: 1 });
    const changed = await send("POST /vectors/update", update);
    expect(changed).toMatchObject({ status: 200, body: { matchedRecords: 1 } });
    expect(emulator.records("books").get("a")?.metadata).toEqual({ page: 0 });
    expect(emulator.records("books").get("b")?.metadata).toEqual({ page: 1, read: true });
  });

  it("is refused where an upsert of the result would be", async () => {
    const { send } = await startIndex();
    const half = "x".repeat(25_000);
    const vectors = [{ id: "a", values: [1, 2, 3], metadata: { half } }];
    await send("POST /vectors/upsert", { vectors });
    for (const body of [
      { id: "a", setMetadata: { other: half } },
      { filter: { half }, setMetadata: { other: half } },
      { id: "a", values: [1, 2] },
      { id: "a", values: [0, 0, 0] },
      { id: "a", setMetadata: { a: null } },
      { id: "a", filter: { a: 1 }, setMetadata: { a: 1 } },
      { filter: { a: 1 }, values: [1, 2, 3] },
      { setMetadata: { a: 1 } },
    ]) {
      expect(
        await send("POST /vectors/update", body),
        JSON.stringify(body).slice(0, 80),
      ).toMatchObject({ status: 400 });
    }
    expect(await send("POST /vectors/update", { id: "a", namespace: "none" })).toMatchObject({
      status: 404,
    });
  });
});

describe("list", () => {
  it("gives the ids with a prefix in the order of their bytes, by pages, each once", async () => {
    const { send } = await startIndex();
    const ids = ["b#10", "b#2", "B#1", "b", "b#1", "a#9", "b~", "c", "b#"];
    await send("POST /vectors/upsert", { vectors: records(...ids), namespace: "x" });
    expect(await listAll("namespace=x&limit=2")).toEqual(ids.toSorted());
    expect(await listAll("namespace=x&prefix=b%23&limit=1")).toEqual(["b#", "b#1", "b#10", "b#2"]);
    expect(await listAll("namespace=x&prefix=zz")).toEqual([]);
    expect(await listAll("namespace=none")).toEqual([]);

    async function listAll(query: string): Promise<string[]> {
      const found: string[] = [];
      for (let token = ""; ;) {
        const { body } = await send(`GET /vectors/list?${query}&paginationToken=${token}`);
        const page = body as { vectors: { id: string }[]; pagination?: { next: string } };
        found.push(...page.vectors.map(({ id }) => id));
        if (page.pagination === undefined) return found;
        token = encodeURIComponent(page.pagination.next);
      }
    }
  });

  it("goes on behind the last id when ids come and go between two pages", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("b", "d", "f") });
    const first = await send("GET /vectors/list?limit=2");
    const { pagination } = first.body as { pagination: { next: string } };
    await send("POST /vectors/delete", { ids: ["d"] });
    await send("POST /vectors/upsert", { vectors: records("a", "e") });
    const token = encodeURIComponent(pagination.next);
    const { body } = await send(`GET /vectors/list?limit=2&paginationToken=${token}`);
    expect(body).toMatchObject({ vectors: [{ id: "e" }, { id: "f" }] });
    expect(body).not.toHaveProperty("pagination");
  });

  it("refuses a limit beyond 100 and a token that is none", async () => {
    const { send } = await startIndex();
    for (const query of ["limit=0", "limit=101", "limit=x", "paginationToken=x"]) {
      expect(await send(`GET /vectors/list?${query}`), query).toMatchObject({ status: 400 });
    }
  });
});

describe("fetch by metadata", () => {
  it("gives whole records by pages", async () => {
    const { send } = await startIndex();
    const vectors = records("a", "b", "c", "d").map((record, index) => ({
      ...record,
      metadata: { odd: index % 2 === 1, tags: ["x"] },
    }));
    await send("POST /vectors/upsert", { vectors });
    const ask = { filter: { tags: "x" }, limit: 3 };
    const { body: first } = await send("POST /vectors/fetch_by_metadata", ask);
    const { pagination, vectors: found } = first as {
      pagination: { next: string };
      vectors: Record<string, unknown>;
    };
    expect(Object.keys(found)).toEqual(["a", "b", "c"]);
    expect(found["b"]).toEqual(vectors[1]);
    const next = { ...ask, paginationToken: pagination.next };
    const { body: second } = await send("POST /vectors/fetch_by_metadata", next);
    expect(Object.keys((second as { vectors: object }).vectors)).toEqual(["d"]);
    expect(second).not.toHaveProperty("pagination");
    const odd = await send("POST /vectors/fetch_by_metadata", { filter: { odd: true } });
    expect(Object.keys((odd.body as { vectors: object }).vectors)).toEqual(["b", "d"]);
    expect(await send("POST /vectors/fetch_by_metadata", { ...ask, limit: 0 })).toMatchObject({
      status: 400,
    });
  });
});

describe("stats", () => {
  it("counts by namespace, and knows the index", async () => {
    const { send } = await startIndex({}, { dimension: 3, metric: "euclidean" });
    await send("POST /vectors/upsert", { vectors: records("a", "b"), namespace: "x" });
    await send("POST /vectors/upsert", { vectors: records("a") });
    expect((await send("POST /describe_index_stats", {})).body).toEqual({
      namespaces: { __default__: { vectorCount: 1 }, x: { vectorCount: 2 } },
      dimension: 3,
      indexFullness: 0,
      totalVectorCount: 3,
      metric: "euclidean",
      vectorType: "dense",
    });
  });

  it("cannot be filtered", async () => {
    const { send } = await startIndex();
    expect(await send("POST /describe_index_stats", { filter: { a: 1 } })).toMatchObject({
      status: 400,
      body: refused(
        "Serverless and Starter indexes do not support describing index stats with metadata filtering",
      ),
    });
    expect(await send("POST /describe_index_stats", { filter: {} })).toMatchObject({ status: 200 });
  });
});
