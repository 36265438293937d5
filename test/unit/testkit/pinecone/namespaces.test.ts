import { describe, expect, it } from "vitest";
import { current, records, refused, sender, startIndex } from "./support.ts";

describe("namespaces", () => {
  it("are listed in the order of their bytes, by prefix and by pages", async () => {
    const { send } = await startIndex();
    for (const namespace of ["b", "a2", "", "A", "a1"]) {
      await send("POST /vectors/upsert", { vectors: records("x", "y"), namespace });
    }
    const { body } = await send("GET /namespaces?limit=3");
    expect(body).toEqual({
      namespaces: [
        { name: "A", record_count: 2 },
        { name: "__default__", record_count: 2 },
        { name: "a1", record_count: 2 },
      ],
      pagination: { next: expect.any(String) },
      total_count: 5,
    });
    const { next } = (body as { pagination: { next: string } }).pagination;
    const rest = await send(`GET /namespaces?limit=3&paginationToken=${encodeURIComponent(next)}`);
    expect(rest.body).toMatchObject({ namespaces: [{ name: "a2" }, { name: "b" }] });
    expect(rest.body).not.toHaveProperty("pagination");
    const some = await send("GET /namespaces?prefix=a");
    expect(some.body).toMatchObject({
      namespaces: [{ name: "a1" }, { name: "a2" }],
      total_count: 2,
    });
    expect(await send("GET /namespaces?limit=101")).toMatchObject({ status: 400 });
  });

  it("are made empty, once, with a list of fields to be indexed", async () => {
    const { send } = await startIndex();
    const schema = { fields: { genre: { filterable: true } } };
    const reply = await send("POST /namespaces", { name: "x", schema });
    expect(reply).toMatchObject({
      status: 200,
      body: { name: "x", record_count: 0, schema, indexed_fields: { fields: ["genre"] } },
    });
    expect(await send("POST /namespaces", { name: "x" })).toMatchObject({
      status: 409,
      body: { code: 6 },
    });
    expect(await send("POST /vectors/delete", { ids: ["a"], namespace: "x" })).toMatchObject({
      status: 200,
    });
    for (const body of [{}, { name: "__default__" }, { name: "ä" }, { name: "y", fields: {} }]) {
      expect(await send("POST /namespaces", body), JSON.stringify(body)).toMatchObject({
        status: 400,
      });
    }
  });

  it("are described and deleted by name, also by one that needs escaping", async () => {
    const { send, emulator } = await startIndex();
    const namespace = "a/b c#1";
    const path = `/namespaces/${encodeURIComponent(namespace)}`;
    await send("POST /vectors/upsert", { vectors: records("x"), namespace });
    expect(await send(`GET ${path}`)).toMatchObject({
      status: 200,
      body: { name: namespace, record_count: 1 },
    });
    expect(await send(`DELETE ${path}`)).toMatchObject({ status: 200, body: {} });
    expect(emulator.records("books", namespace).size).toBe(0);
    for (const method of ["GET", "DELETE"]) {
      expect(await send(`${method} ${path}`)).toMatchObject({
        status: 404,
        body: refused("Namespace not found", 5),
      });
    }
  });

  it("are counted in decimal texts, with their sizes, since 2026-07", async () => {
    const { send, host } = await startIndex();
    await send("POST /vectors/upsert", { vectors: records("x"), namespace: "a" });
    const { body } = await sender(host, { version: current })("GET /namespaces/a");
    expect(body).toEqual({ name: "a", record_count: "1", size_bytes: "13" });
  });
});
