import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../engine/rig/virtual-clock.ts";
import { current, makeIndex, records, type Reply, sender, start } from "./support.ts";

const spec = { serverless: { cloud: "aws", region: "us-east-1" } };
const classic = { name: "books", dimension: 3, spec };
const deployment = { deployment_type: "managed", cloud: "aws", region: "us-east-1" };
const dense = { type: "dense_vector", dimension: 3, metric: "cosine" };
const schema = { fields: { _values: dense } };

/** The body of a refusal by the control plane. */
function refused(status: number, code: string, message: unknown = expect.any(String)): object {
  return { status, body: { error: { code, message }, status } };
}

/** A request for an index with these fields, as 2026-07 has it. */
function fields(given: object): object {
  return { name: "books", schema: { fields: given } };
}

async function planes() {
  const emulator = await start();
  return {
    emulator,
    old: sender(emulator.url),
    now: sender(emulator.url, { version: current }),
  };
}

describe("an index", () => {
  it("is described as 2026-04 has it: dimension, metric and spec", async () => {
    const { old } = await planes();
    const created = await old("POST /indexes", { ...classic, tags: { team: "a" } });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      name: "books",
      dimension: 3,
      metric: "cosine",
      host: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      deletion_protection: "disabled",
      tags: { team: "a" },
      spec: {
        serverless: {
          cloud: "aws",
          region: "us-east-1",
          read_capacity: { mode: "OnDemand", status: { state: "Ready" } },
        },
      },
      status: { ready: true, state: "Ready" },
      vector_type: "dense",
    });
    expect(await old("GET /indexes/books")).toMatchObject({ status: 200, body: created.body });
    expect(await old("GET /indexes")).toMatchObject({ body: { indexes: [created.body] } });
  });

  it("is described as 2026-07 has it: a schema with reserved fields, and a deployment", async () => {
    const { now, old } = await planes();
    const created = await now("POST /indexes", { name: "books", deployment, schema });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      name: "books",
      host: expect.any(String),
      status: { ready: true, state: "Ready" },
      deployment: { ...deployment, environment: "us-east-1-aws" },
      read_capacity: {
        mode: "OnDemand",
        status: { state: "Ready", current_replicas: null, current_shards: null },
      },
      schema: {
        fields: {
          _values: { ...dense, description: null },
          _sparse_values: { type: "sparse_vector", description: null },
        },
      },
      tags: null,
      deletion_protection: "disabled",
    });
    expect(await now("GET /indexes/books")).toMatchObject({ status: 200, body: created.body });
    expect(await now("GET /indexes")).toMatchObject({ body: { indexes: [created.body] } });
    expect((await old("GET /indexes/books")).body).toMatchObject({
      dimension: 3,
      metric: "cosine",
    });
  });

  it("made before 2026-07 with a list of filterable fields reports them without a type", async () => {
    const { now, old } = await planes();
    const genre = { filterable: true };
    const serverless = { ...spec.serverless, schema: { fields: { genre } } };
    const created = await old("POST /indexes", { ...classic, spec: { serverless } });
    expect(created.body).toMatchObject({ spec: { serverless: { schema: { fields: { genre } } } } });
    const { body } = await now("GET /indexes/books");
    expect(body).toMatchObject({ schema: { fields: { genre, _values: dense } } });
  });

  it("of the documents kind takes no vectors, and reads as empty", async () => {
    const { now, emulator } = await planes();
    const own = { embedding: dense, body: { type: "string", full_text_search: {} } };
    const { body } = await now("POST /indexes", { name: "docs", schema: { fields: own } });
    expect(body).toMatchObject({ schema: { fields: own }, deployment });
    expect(Object.keys((body as { schema: { fields: object } }).schema.fields)).toHaveLength(2);
    const send = sender((body as { host: string }).host);
    for (const [request, sent] of [
      ["POST /vectors/upsert", { vectors: records("a") }],
      ["POST /vectors/delete", { ids: ["a"] }],
      ["POST /vectors/update", { id: "a", setMetadata: { a: 1 } }],
    ] as const) {
      const message = expect.stringContaining("documents API");
      expect(await send(request, sent)).toMatchObject({ status: 400, body: { code: 3, message } });
    }
    expect((await send("POST /describe_index_stats", {})).body).toEqual({
      namespaces: {},
      indexFullness: 0,
      totalVectorCount: 0,
    });
    expect(await send("GET /vectors/fetch?ids=a")).toMatchObject({ body: { vectors: {} } });
    expect(emulator.stats().requests).toBe(6);
  });

  it("gets a name when none is given, and once only", async () => {
    const { now } = await planes();
    const { body } = await now("POST /indexes", { schema });
    const { name } = body as { name: string };
    expect(name).toMatch(/^[a-z0-9-]{1,45}$/);
    expect(await now("POST /indexes", { name, schema })).toMatchObject(
      refused(409, "ALREADY_EXISTS", "Resource already exists."),
    );
  });

  it("is made once by two requests that come at the same instant", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const emulator = await start({ clock, behaviour: { kind: "slow", ms: 1000 } });
    const now = sender(emulator.url, { version: current });
    const asked = [1, 2].map(() => now("POST /indexes", { name: "twin", schema }));
    while (clock.waits.length < 2) await clock.pass(0);
    await clock.pass(1000);
    const twins = await Promise.all(asked);
    expect(twins.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  });

  it("is not ready at first, when told so, and serves nothing until it is", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const emulator = await start({ clock, readyDelayMs: 5000 });
    const send = sender(await makeIndex(emulator));
    const describeBooks = () => sender(emulator.url)("GET /indexes/books");
    expect(await describeBooks()).toMatchObject({
      body: { status: { ready: false, state: "Initializing" } },
    });
    expect(await send("POST /vectors/upsert", { vectors: records("a") })).toMatchObject({
      status: 503,
      body: { code: 14 },
    });
    await clock.pass(5000);
    expect(await describeBooks()).toMatchObject({
      body: { status: { ready: true, state: "Ready" } },
    });
    expect(await send("POST /vectors/upsert", { vectors: records("a") })).toMatchObject({
      status: 200,
    });
  });
});

describe("a new index", () => {
  const bad = (changes: object): object => ({ ...classic, ...changes });
  const region = { serverless: { cloud: "aws", region: "us-west-9" } };
  const rule =
    "Index name must contain only lowercase alphanumeric characters or hyphens, " +
    "and must not begin or end with a hyphen.";

  it.each([
    [bad({ name: "Books" }), 400, "INVALID_ARGUMENT", rule],
    [bad({ name: "-books" }), 400, "INVALID_ARGUMENT", rule],
    [bad({ name: "books-" }), 400, "INVALID_ARGUMENT", rule],
    [bad({ name: "a.b" }), 400, "INVALID_ARGUMENT", rule],
    [bad({ name: "" }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ name: "x".repeat(46) }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ dimension: 0 }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ dimension: 20_001 }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ dimension: undefined }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ dimension: "3" }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [bad({ metric: "manhattan" }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ vector_type: "binary" }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ vector_type: "sparse" }), 400, "INVALID_ARGUMENT", undefined],
    [
      bad({ name: undefined }),
      422,
      "UNPROCESSABLE_ENTITY",
      "Failed to deserialize the JSON body into the target type: missing field `name`",
    ],
    [bad({ spec: undefined }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [bad({ spec: {} }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [bad({ schema }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [bad({ spec: region }), 404, "NOT_FOUND", "Resource cloud: aws region: us-west-9 not found."],
    [bad({ spec: { pod: {} } }), 501, "UNIMPLEMENTED", undefined],
    [bad({ spec: { byoc: {} } }), 501, "UNIMPLEMENTED", undefined],
    [bad({ deletion_protection: "yes" }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ tags: { "a b": "c" } }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ tags: { a: "c/d" } }), 400, "INVALID_ARGUMENT", undefined],
    [bad({ tags: { a: "x".repeat(121) } }), 400, "INVALID_ARGUMENT", undefined],
    [
      bad({
        tags: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, "x"])),
      }),
      400,
      "INVALID_ARGUMENT",
      undefined,
    ],
  ])("as 2026-04 has it, %j, is refused with %i", async (body, status, code, message) => {
    const { old } = await planes();
    expect(await old("POST /indexes", body)).toMatchObject(refused(status, code, message));
    expect(await old("GET /indexes")).toMatchObject({ body: { indexes: [] } });
  });

  const empty =
    "Schema must contain at least one of the following field types: " +
    "dense_vector, sparse_vector, string with full_text_search";

  it.each([
    [fields({}), 400, "INVALID_ARGUMENT", empty],
    [{ name: "books" }, 422, "UNPROCESSABLE_ENTITY", undefined],
    [classic, 422, "UNPROCESSABLE_ENTITY", undefined],
    [fields({ _values: dense, body: dense }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ _other: dense }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ _values: { type: "sparse_vector" } }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ _values: { ...dense, description: "x" } }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ a: dense, b: dense }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ $a: dense }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ ["x".repeat(65)]: dense }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ a: { ...dense, dimension: 20_001 } }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ a: { ...dense, metric: "l2" } }), 400, "INVALID_ARGUMENT", undefined],
    [fields({ a: { type: "dense_vector" } }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [fields({ a: { type: "string" } }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [fields({ a: { type: "tensor" } }), 422, "UNPROCESSABLE_ENTITY", undefined],
    [fields({ a: { type: "float" } }), 400, "INVALID_ARGUMENT", undefined],
    [
      fields({ a: { type: "string", filterable: true } }),
      400,
      "INVALID_ARGUMENT",
      expect.stringContaining("only accepts fields used for search"),
    ],
    [{ schema, deployment: { cloud: "aws" } }, 422, "UNPROCESSABLE_ENTITY", undefined],
    [
      { schema, deployment: { deployment_type: "serverless" } },
      422,
      "UNPROCESSABLE_ENTITY",
      undefined,
    ],
    [{ schema, read_capacity: { mode: "Dedicated" } }, 501, "UNIMPLEMENTED", undefined],
  ])("as 2026-07 has it, %j, is refused with %i", async (body, status, code, message) => {
    const { now } = await planes();
    expect(await now("POST /indexes", body)).toMatchObject(refused(status, code, message));
    expect(await now("GET /indexes")).toMatchObject({ body: { indexes: [] } });
  });
});

describe("an index that exists", () => {
  it("changes its tags and its protection, and takes tags away with empty values", async () => {
    const { old, now } = await planes();
    await old("POST /indexes", { ...classic, tags: { a: "1", b: "2" } });
    const changed = await old("PATCH /indexes/books", {
      tags: { a: "", c: "3" },
      deletion_protection: "enabled",
    });
    expect(changed).toMatchObject({ status: 202, body: { deletion_protection: "enabled" } });
    expect((changed.body as { tags: object }).tags).toEqual({ b: "2", c: "3" });
    const marked = await now("PATCH /indexes/books", { tags: { mark: '{"a":1}' } });
    expect(marked).toMatchObject({ status: 202, body: { tags: { mark: '{"a":1}' } } });
    for (const body of [{ dimension: 4 }, { schema: {} }, { name: "other" }]) {
      expect((await now("PATCH /indexes/books", body)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it("cannot be deleted while it is protected", async () => {
    const { old, emulator } = await planes();
    await old("POST /indexes", { ...classic, deletion_protection: "enabled" });
    const message =
      "Deletion protection is enabled for this index. Disable deletion protection before retrying.";
    expect(await old("DELETE /indexes/books")).toMatchObject(refused(403, "FORBIDDEN", message));
    await old("PATCH /indexes/books", { deletion_protection: "disabled" });
    const deleted = await old("DELETE /indexes/books");
    expect(deleted).toMatchObject({ status: 202, body: "" });
    expect(emulator.records("books").size).toBe(0);
  });

  it("is gone with its records once deleted, and another may take its name", async () => {
    const { old, emulator } = await planes();
    const host = await makeIndex(emulator);
    await sender(host)("POST /vectors/upsert", { vectors: records("a") });
    await old("DELETE /indexes/books");
    await expect(sender(host)("GET /namespaces")).rejects.toThrow("fetch failed");
    const again = await makeIndex(emulator, { dimension: 4 });
    expect(await sender(again)("POST /describe_index_stats", {})).toMatchObject({
      body: { dimension: 4, totalVectorCount: 0 },
    });
  });

  it("is not found under another name", async () => {
    const { old } = await planes();
    const replies: Reply[] = [
      await old("GET /indexes/nowhere"),
      await old("DELETE /indexes/nowhere"),
      await old("PATCH /indexes/nowhere", {}),
    ];
    for (const reply of replies) {
      expect(reply).toMatchObject(refused(404, "NOT_FOUND", "Index nowhere not found."));
    }
  });
});
