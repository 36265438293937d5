import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../../connectors/embedders/openai/address.ts";
import { readAnswer } from "../../../../connectors/embedders/openai/answer.ts";
import { decodeVector } from "../../../../connectors/embedders/openai/decode-vector.ts";
import { openaiEmbedder } from "../../../../connectors/embedders/openai/index.ts";

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function item(index: unknown, embedding: readonly number[]) {
  return { index, embedding };
}

function make(config: Record<string, unknown>) {
  return openaiEmbedder.create(openaiEmbedder.config.parse(config), {} as never);
}

describe("decodeVector", () => {
  it("gives back every float32 vector, from base64 padded or not, bit by bit", () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, maxLength: 70 }), (vector) => {
        const text = base64(vector);
        for (const form of [text, text.replace(/=+$/, "")]) {
          const decoded = decodeVector(form);
          expect(Buffer.from(decoded!.buffer).equals(Buffer.from(vector.slice().buffer))).toBe(
            true,
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it("gives a list of numbers as float32", () => {
    expect(decodeVector([0.1, -2, 1e-50])).toEqual(Float32Array.of(0.1, -2, 0));
  });

  it.each([
    ["nothing", undefined],
    ["an empty list", []],
    ["an empty text", ""],
    ["a list with null", [1, null]],
    ["a list with numbers as text", ["1"]],
    ["half a number", "AAAA"],
    ["characters that are not base64", "AA*AAA=="],
    ["white space inside", "AAAA\nAA=="],
    ["an object", { 0: 1, length: 1 }],
  ])("refuses %s", (_, value) => {
    expect(decodeVector(value)).toBeUndefined();
  });
});

describe("readAnswer", () => {
  const expected = { shown: "http://server/v1", texts: 2, dimension: undefined };

  it("restores the order, whatever it was", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), (order) => {
        const data = order.map((index) => item(index, [index + 1, 1]));
        const { vectors } = readAnswer({ data }, { ...expected, texts: 7 });
        expect(vectors.map((vector) => vector[0])).toEqual([1, 2, 3, 4, 5, 6, 7]);
      }),
      { numRuns: 50 },
    );
  });

  it.each([-1, 2, 0.5, "0", null, undefined, Number.NaN])("refuses the index %s", (index) => {
    const data = [item(0, [1]), item(index, [1])];
    expect(() => readAnswer({ data }, expected)).toThrow("`index`");
  });

  it("refuses a number beyond float32 rather than storing infinity", () => {
    const data = [item(0, [1]), item(1, [1e39])];
    expect(() => readAnswer({ data }, expected)).toThrow("not finite");
  });

  it("refuses both infinities, which add up to nothing", () => {
    const data = [item(0, [1, 1]), item(1, [1e39, -1e39])];
    expect(() => readAnswer({ data }, expected)).toThrow("not finite");
  });

  it("takes a vector with one number that is not zero", () => {
    const data = [item(0, [0, 1e-40]), item(1, [-1, 0])];
    expect(readAnswer({ data }, expected).vectors).toHaveLength(2);
  });

  it.each([[-1], ["7"], [1.5], [undefined]])("leaves out a token count of %s", (count) => {
    const data = [item(0, [1]), item(1, [1])];
    const usage = { prompt_tokens: count };
    expect(readAnswer({ data, usage }, expected)).not.toHaveProperty("tokens");
  });
});

describe("parseAddress", () => {
  it("keeps a query for requests and out of messages", () => {
    const address = parseAddress("https://me:pw@host/openai/v1/?api-version=1#x");
    expect(address.endpoint).toBe("https://host/openai/v1/embeddings?api-version=1");
    expect(address.shown).toBe("https://host/openai/v1");
  });

  it("takes credentials with a percent sign that encodes nothing", () => {
    const { authorization } = parseAddress("http://me:100%@host/v1");
    expect(authorization).toBe(`Basic ${Buffer.from("me:100%").toString("base64")}`);
  });
});

describe("openai configuration", () => {
  const good = { url: "http://h/v1", model: "m" };

  it("parses its own examples", () => {
    for (const { config } of openaiEmbedder.examples) openaiEmbedder.config.parse(config);
  });

  it.each([
    ["another protocol", { url: "ftp://h" }],
    ["no address", { url: "localhost:8000" }],
    ["an unknown key", { api_kye: "x" }],
    ["an empty model", { model: "" }],
    ["no concurrency", { concurrency: 0 }],
    ["a key with a line end inside", { api_key: "a\nb" }],
    ["a header name with a space", { headers: { "a b": "c" } }],
    ["a header value with a line end", { headers: { a: "b\r\nc: d" } }],
    ["a timeout that fetch cannot keep", { timeout_ms: 300_001 }],
  ])("refuses %s without repeating a secret", (_, wrong) => {
    const result = openaiEmbedder.config.safeParse({ ...good, ...wrong });
    expect(result.success).toBe(false);
    expect(result.error?.message).not.toContain("a\\nb");
  });

  it.each([
    ["no address at all", { url: undefined }, "neither"],
    ["one address and several", { urls: ["http://a/v1"] }, "both"],
    ["the same address twice", { url: undefined, urls: ["http://a/v1", "http://a/v1/"] }, "twice"],
  ])("refuses %s", (_, wrong, message) => {
    expect(() => make({ ...good, ...wrong })).toThrow(message);
  });

  it("refuses more `dimensions` than the model has, and takes fewer as its native ones", () => {
    const config = { ...good, model: "Qwen3-Embedding-0.6B" };
    expect(() => make({ ...config, dimensions: 2048 })).toThrow("more than the 1024");
    make({ ...config, dimensions: 512 });
  });
});
