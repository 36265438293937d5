import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pineconeSink } from "../../../../connectors/sinks/pinecone/index.ts";
import { apiKey, makeSink } from "./harness.ts";

const minimal = { api_key: apiKey, index: "handbook" };

function problemsOf(config: Readonly<Record<string, unknown>>): string[] {
  const { error } = pineconeSink.config.safeParse({ ...minimal, ...config });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("the configuration", () => {
  it("needs a key and an index, and knows the rest", () => {
    expect(pineconeSink.config.parse(minimal)).toMatchObject({
      namespace: "__default__",
      create: { cloud: "aws", region: "us-east-1", metric: "cosine", deletion_protection: false },
      timeout_ms: 30_000,
      concurrency: 8,
    });
  });

  it.each([
    [{ api_key: "  " }, "api_key: is empty"],
    [{ api_key: "a\nb" }, "api_key: "],
    [{ index: "Handbook" }, "index: expected small letters"],
    [{ index: "-a" }, "index: expected small letters"],
    [{ index: "a".repeat(46) }, "index: "],
    [{ namespace: "übung" }, "namespace: expected printable ASCII"],
    [{ namespace: "" }, "namespace: "],
    [{ namespace: ".." }, "namespace: expected a name"],
    [{ namespace: "__sluice__" }, "namespace: expected a name that is not sluice's"],
    [{ host: "handbook-1.svc.pinecone.io" }, "host: expected an http or https address"],
    [{ host: "https://u:p@handbook.io" }, "host: expected an address without user"],
    [{ host: "https://handbook.io/vectors" }, "host: expected an address without a path"],
    [{ control_url: "https://api.io?key=1" }, "control_url: expected an address without user"],
    [{ control_url: "ftp://api.io" }, "control_url: expected an http or https address"],
    [{ create: { cloud: "moon" } }, "create.cloud: "],
    [{ create: { tags: { "a b": "c" } } }, "create.tags.a b: "],
    [
      { create: { indexed_metadata: "filterable" } },
      "create.indexed_metadata: needs a `namespace`",
    ],
    [{ timeout_ms: 0 }, "timeout_ms: "],
    [{ timeout_ms: 300_001 }, "timeout_ms: "],
    [{ concurrency: 65 }, "concurrency: "],
    [{ collection: "x" }, ": "],
  ])("refuses %j", (config, problem) => {
    const [first = "", ...others] = problemsOf(config);
    expect(first).toContain(problem);
    expect(others).toEqual([]);
  });

  it("keeps the key a secret", () => {
    const { properties } = z.toJSONSchema(pineconeSink.config, { io: "input" });
    expect(properties?.["api_key"]).toMatchObject({ secret: true, operational: true });
  });
});

describe("the layout", () => {
  const nowhere = { url: "http://127.0.0.1:1" };

  it("gives every field a metadata key, but not the id and the vector", () => {
    for (const field of ["id", "vector"]) {
      expect(() => makeSink(nowhere, { fields: { [field]: "other" } })).toThrow(
        `renames \`${field}\``,
      );
    }
    expect(() => makeSink(nowhere, { fields: { id: "id", text: "chunk text" } })).not.toThrow();
  });

  it.each(["$text", "a\nb"])("refuses the key %j", (key) => {
    expect(() => makeSink(nowhere, { fields: { text: key } })).toThrow("begin with `$`");
  });

  it("names the shape by it, and the address by index, namespace and place", () => {
    const plain = makeSink(nowhere);
    expect(plain.address).toBe("`handbook` in Pinecone at http://127.0.0.1:1");
    const other = makeSink(nowhere, { namespace: "a b", control_url: undefined, omit: ["page"] });
    expect(other.address).toBe("`handbook`, namespace `a b`, in Pinecone");
    expect(other.shape).not.toBe(plain.shape);
    expect(makeSink(nowhere, { namespace: "x" }).shape).toBe(plain.shape);
  });
});
