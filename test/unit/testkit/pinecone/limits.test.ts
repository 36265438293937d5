import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataRoutes } from "../../../../src/testkit/pinecone/data-plane.ts";
import { controlRoutes } from "../../../../src/testkit/pinecone/control-plane.ts";
import { records, refused, sender, start, startIndex } from "./support.ts";

const one = { id: "a", values: [1, 2, 3] };

function queryOf(ids: readonly string[]): string {
  return ids.map((id) => `ids=${id}`).join("&");
}

describe("an upsert", () => {
  const refusals: readonly (readonly [what: string, record: object | string, message: string])[] = [
    [
      "a vector of another length",
      { id: "a", values: [1, 2] },
      "Vector dimension 2 does not match the dimension of the index 3",
    ],
    [
      "a record without a vector",
      { id: "a" },
      "Vector dimension 0 does not match the dimension of the index 3",
    ],
    [
      "a vector of zeros",
      { id: "a", values: [0, 1e-9, 0] },
      "Dense vectors must contain at least one non-zero value. Vector ID 'a' contains only zeros",
    ],
    [
      "null, which JSON makes of NaN",
      { id: "a", values: [1, Number.NaN, 3] },
      "vectors[0].values[1]: invalid value null for type TYPE_FLOAT",
    ],
    [
      "a number that float32 cannot hold",
      { id: "a", values: [1e39, 1, 1] },
      "vectors[0].values[0]: invalid value 1e+39 for type TYPE_FLOAT",
    ],
    [
      "a Float32Array, which JSON makes an object of",
      { id: "a", values: Float32Array.of(1, 2, 3) },
      'vectors[0].values: invalid value {"0":1,"1":2,"2":3} for type a list',
    ],
    ["a field that nobody knows", { ...one, vector: [1] }, "vectors[0].vector: Cannot find field."],
    ["an id that is empty", { ...one, id: "" }, "Vector ID must not be empty"],
    [
      "an id beyond 512 characters",
      { ...one, id: "x".repeat(513) },
      "Vector ID must be at most 512 characters long, but got 513",
    ],
    ["an id beyond ASCII", { ...one, id: "Bräu" }, "Vector ID must be ASCII, but got 'Bräu'"],
    ["an id with NUL", { ...one, id: "a\0b" }, "Vector ID must not contain null character"],
    [
      "metadata that is null",
      { ...one, metadata: { page: null } },
      "Metadata value must be a string, number, boolean or list of strings, got 'null' for field 'page'",
    ],
    [
      "metadata that is an object",
      { ...one, metadata: { speaker: { agreement: 13, parties: 5 } } },
      "Metadata value must be a string, number, boolean or list of strings, " +
        `got '{"agreement":13....' for field 'speaker'`,
    ],
    [
      "a list that is not of strings",
      { ...one, metadata: { pages: [1] } },
      "Metadata value must be a string, number, boolean or list of strings, got '[1.0]' for field 'pages'",
    ],
    [
      "a field of metadata that begins like an operator",
      { ...one, metadata: { $in: "a" } },
      "Metadata field '$in' cannot start with '$'",
    ],
    [
      "more than 40 KB of metadata",
      { ...one, metadata: { text: "x".repeat(40_960) } },
      "Metadata size is 40971 bytes, which exceeds the limit of 40960 bytes per vector",
    ],
  ];

  for (const [what, record, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const { send, emulator } = await startIndex();
      const reply = await send("POST /vectors/upsert", { vectors: [record] });
      expect(reply).toMatchObject({ status: 400, body: refused(message) });
      expect(emulator.records("books").size).toBe(0);
    });
  }

  it("takes what is just within the limits", async () => {
    const { send, emulator } = await startIndex();
    const text = "x".repeat(40_960 - '{"text":""}'.length);
    const vectors = [
      { id: "x".repeat(512), values: [0, 0, 1e-7], metadata: { text } },
      { ...one, metadata: { "": "", __proto__x: [], ünicode: ["ä"], yes: true, big: 1e300 } },
    ];
    expect(await send("POST /vectors/upsert", { vectors })).toMatchObject({ status: 200 });
    expect(emulator.records("books").size).toBe(2);
  });

  it("takes 1000 records and no more", async () => {
    const { send } = await startIndex();
    const vectors = records(...Array.from({ length: 1001 }, (_, index) => `${index}`));
    expect(await send("POST /vectors/upsert", { vectors })).toMatchObject({
      status: 400,
      body: { code: 3 },
    });
    expect(await send("POST /vectors/upsert", { vectors: vectors.slice(1) })).toMatchObject({
      body: { upsertedCount: 1000 },
    });
    expect(await send("POST /vectors/upsert", { vectors: [] })).toMatchObject({ status: 400 });
    expect(await send("POST /vectors/upsert", {})).toMatchObject({ status: 400 });
  });

  it("takes 2 MB and no more, counted in bytes of the body", async () => {
    const { send } = await startIndex();
    const body = JSON.stringify({ vectors: [one] });
    const most = 2 * 1024 * 1024;
    const fits = await send("POST /vectors/upsert", body.padEnd(most));
    expect(fits).toMatchObject({ status: 200 });
    expect(await send("POST /vectors/upsert", body.padEnd(most + 1))).toMatchObject({
      status: 400,
      body: refused("Request size 3MB exceeds the maximum supported size of 2MB"),
    });
  });

  it("refuses a body of any size, with the size", async () => {
    const { send } = await startIndex();
    const bytes = 50_000_000;
    const reply = await send("POST /vectors/upsert", " ".repeat(bytes));
    expect(reply).toMatchObject({
      status: 400,
      body: refused(
        `Error, message length too large: found ${bytes} bytes, the limit is: 4194304 bytes`,
        11,
      ),
    });
  });
});

describe("other requests", () => {
  it("name at most 1000 ids", async () => {
    const { send } = await startIndex();
    await send("POST /vectors/upsert", { vectors: [one] });
    const ids = Array.from({ length: 1001 }, (_, index) => `${index}`);
    expect(await send("POST /vectors/delete", { ids })).toMatchObject({ status: 400 });
    expect(await send(`GET /vectors/fetch?${queryOf(ids)}`)).toMatchObject({ status: 400 });
    expect(await send("POST /vectors/delete", { ids: ids.slice(1) })).toMatchObject({
      status: 200,
    });
    expect(await send(`GET /vectors/fetch?${queryOf(ids.slice(1))}`)).toMatchObject({
      status: 200,
    });
    expect(await send("GET /vectors/fetch")).toMatchObject({ status: 400 });
  });

  it("are refused with a request line beyond 60 KB", async () => {
    const { send } = await startIndex();
    const ids = Array.from({ length: 700 }, (_, index) => `ids=${"x".repeat(90)}${index}`);
    expect(await send(`GET /vectors/fetch?${ids.join("&")}`)).toMatchObject({ status: 431 });
  });

  it("ask for 1 to 10000 matches, with a vector of the index's length or an id", async () => {
    const { send } = await startIndex();
    const vector = [1, 2, 3];
    for (const body of [
      { vector },
      { vector, topK: 0 },
      { vector, topK: 10_001 },
      { vector, topK: 1.5 },
      { topK: 1 },
      { topK: 1, id: "a", vector },
      { topK: 1, vector: [1, null, 3] },
      { topK: 1, vector, queries: [] },
      { topK: 1, vector, sparseVector: { indices: [1], values: [1] } },
      { topK: 1, vector, scanFactor: 2 },
    ]) {
      expect(await send("POST /query", body), JSON.stringify(body)).toMatchObject({
        status: 400,
        body: { code: 3 },
      });
    }
    expect(await send("POST /query", { vector: [1, 2], topK: 1 })).toMatchObject({
      body: refused("Vector dimension 2 does not match the dimension of the index 3"),
    });
    expect(await send("POST /query", { vector, topK: 10_000 })).toMatchObject({ status: 200 });
  });

  it("get no more than 4 MB of matches", async () => {
    const { send } = await startIndex({}, { dimension: 1100 });
    const values = Array.from({ length: 1100 }, () => 1);
    for (let page = 0; page < 5; page += 1) {
      const vectors = Array.from({ length: 200 }, (_, index) => ({
        id: `${page}-${index}`,
        values,
      }));
      await send("POST /vectors/upsert", { vectors });
    }
    const ask = { vector: values, topK: 1000, includeValues: true };
    expect(await send("POST /query", ask)).toMatchObject({ status: 400, body: { code: 11 } });
    expect(await send("POST /query", { ...ask, topK: 900 })).toMatchObject({ status: 200 });
    expect(await send("POST /query", { ...ask, includeValues: false })).toMatchObject({
      status: 200,
    });
  });

  it("name namespaces of ASCII", async () => {
    const { send } = await startIndex();
    for (const namespace of ["ä", "a\0", "x".repeat(513)]) {
      expect(await send("POST /vectors/upsert", { vectors: [one], namespace })).toMatchObject({
        status: 400,
      });
    }
    const namespace = "x".repeat(512);
    expect(await send("POST /vectors/upsert", { vectors: [one], namespace })).toMatchObject({
      status: 200,
    });
  });
});

describe("a request", () => {
  it("needs the right key, and is told so as plain text", async () => {
    const emulator = await start({ apiKey: "secret" });
    for (const key of ["wrong", ""]) {
      const reply = await sender(emulator.url, { key })("GET /indexes");
      expect(reply).toMatchObject({ status: 401, body: "Invalid API Key" });
      expect(reply.headers["content-type"]).toBe("text/plain");
    }
    expect(await sender(emulator.url, { key: "secret" })("GET /indexes")).toMatchObject({
      status: 200,
    });
    expect(emulator.stats().requests).toBe(1);
  });

  it("is refused at a path, with a method, of a version or with a body that does not exist", async () => {
    const { emulator, host, send } = await startIndex();
    const control = sender(emulator.url);
    expect(await send("GET /indexes")).toMatchObject({ status: 404, body: { code: 5 } });
    expect(await control("POST /query", {})).toMatchObject({
      status: 404,
      body: { error: { code: "NOT_FOUND" }, status: 404 },
    });
    expect(await send("GET /query")).toMatchObject({ status: 405 });
    expect(await send("GET /namespaces/%ff")).toMatchObject({ status: 400 });
    expect(await sender(host, { version: "yesterday" })("GET /namespaces")).toMatchObject({
      status: 400,
    });
    expect(await send("POST /query", "{")).toMatchObject({ status: 400, body: { code: 3 } });
    expect(await control("POST /indexes", " ".repeat(5_000_000))).toMatchObject({ status: 413 });
  });

  it("is never answered with a server error, whatever is in it", async () => {
    const { emulator, send } = await startIndex();
    const control = sender(emulator.url);
    const known = [
      "vectors",
      "id",
      "ids",
      "values",
      "sparseValues",
      "metadata",
      "filter",
      "topK",
      "vector",
      "name",
      "schema",
      "fields",
      "dimension",
      "spec",
      "serverless",
      "tags",
      "$and",
      "$in",
    ];
    const body = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(null, true, 0, -1, 1.5, 1e300, "", "a", "__proto__"),
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...known), tie("json"), { maxKeys: 4 }),
      ),
    })).json;
    const routes = [
      ...Object.values(dataRoutes).map((route) => [send, route] as const),
      // The deletion of an index would end its data plane.
      ...Object.values(controlRoutes)
        .filter((route) => route !== controlRoutes.deleteIndex)
        .map((route) => [control, route] as const),
    ];
    const sent = fc.asyncProperty(fc.constantFrom(...routes), body, async ([to, route], json) => {
      const path = `/${route.path.map((part) => (part === "*" ? "books" : part)).join("/")}`;
      const hasBody = route.method !== "GET" && route.method !== "DELETE";
      const { status } = await to(`${route.method} ${path}`, hasBody ? json : undefined);
      expect(status).not.toBe(500);
    });
    await fc.assert(sent, { numRuns: 400 });
  });
});
