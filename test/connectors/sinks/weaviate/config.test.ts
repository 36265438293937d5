import { describe, expect, it } from "vitest";
import { weaviateConfig } from "../../../../connectors/sinks/weaviate/config.ts";
import { placeOf } from "../../../../connectors/sinks/weaviate/place.ts";
import { makeSink } from "./make-sink.ts";

const least = { url: "http://localhost:8080", collection: "handbook" };

function problems(config: unknown): readonly string[] {
  const parsed = weaviateConfig.safeParse(config);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

function place(config: Readonly<Record<string, unknown>>) {
  return placeOf(weaviateConfig.parse({ ...least, ...config }));
}

describe("the configuration", () => {
  it("needs an address and a name only", () => {
    expect(problems(least)).toEqual([]);
    expect(problems({})).toHaveLength(2);
  });

  it("refuses addresses that cannot be used, and keys in them", () => {
    for (const url of ["localhost:8080", "ftp://host", "grpc://host:50051", ""]) {
      expect(problems({ ...least, url }), url).not.toEqual([]);
      expect(problems({ ...least, grpc_url: url }), url).not.toEqual([]);
    }
    expect(problems({ ...least, url: "http://me:hush@host" })).toEqual([
      "url: holds credentials; put the key into `api_key`",
    ]);
  });

  it("refuses names that Weaviate does not take", () => {
    for (const collection of ["", "1a", "a-b", "a b", "ä", "x".repeat(256)]) {
      expect(problems({ ...least, collection }), collection).not.toEqual([]);
    }
    for (const tenant of ["", "a b", "a/b", "x".repeat(65)]) {
      expect(problems({ ...least, tenant }), tenant).not.toEqual([]);
    }
    for (const vector of ["", "1", "a-b"]) {
      expect(problems({ ...least, vector }), vector).not.toEqual([]);
    }
    expect(problems({ ...least, tenant: "Acme-2_x", vector: "body_vector" })).toEqual([]);
  });

  it("refuses a key that cannot stand in a header, and takes an empty one for none", () => {
    expect(problems({ ...least, api_key: "a\nb" })).toHaveLength(1);
    expect(problems({ ...least, api_key: "" })).toEqual([]);
  });

  it("refuses options that are none, at every level", () => {
    expect(problems({ ...least, colour: "red" })).toHaveLength(1);
    expect(problems({ ...least, create: { colour: "red" } })).toHaveLength(1);
    expect(problems({ ...least, create: { index: "hfresh" } })).toHaveLength(1);
    expect(problems({ ...least, create: { replication_factor: 0 } })).toHaveLength(1);
    expect(problems({ ...least, timeout_ms: 1.5 })).toHaveLength(1);
  });
});

describe("the place", () => {
  it("has the gRPC API at port 50051 of the same host, unless it is named", () => {
    expect(place({}).grpcOrigin).toBe("http://localhost:50051");
    expect(place({ url: "https://w.example.com" }).grpcOrigin).toBe("https://w.example.com:50051");
    expect(place({ grpc_url: "https://g.example.com:444/x" }).grpcOrigin).toBe(
      "https://g.example.com:444",
    );
  });

  it("knows the host that Weaviate Cloud has for gRPC", () => {
    expect(place({ url: "https://abc.c0.europe-west3.gcp.weaviate.cloud" }).grpcOrigin).toBe(
      "https://grpc-abc.c0.europe-west3.gcp.weaviate.cloud",
    );
  });

  it("keeps a path in front of the REST API, without slashes at its end", () => {
    expect(place({ url: "https://example.com/weaviate//" }).restUrl).toBe(
      "https://example.com/weaviate",
    );
  });

  it("writes the collection as Weaviate does, so that one collection has one address", () => {
    expect(makeSink(least).address).toBe(makeSink({ ...least, collection: "Handbook" }).address);
    expect(makeSink(least).address).toBe("`Handbook` at http://localhost:8080");
    expect(makeSink({ ...least, tenant: "acme" }).address).toBe(
      "`Handbook`, tenant `acme`, at http://localhost:8080",
    );
  });

  it("has another shape for other fields, and the same for other addresses", () => {
    const { shape } = makeSink(least);
    expect(makeSink({ ...least, url: "http://elsewhere", timeout_ms: 5_000 }).shape).toBe(shape);
    expect(makeSink({ ...least, fields: { text: "body" } }).shape).not.toBe(shape);
    expect(makeSink({ ...least, omit: ["uri"] }).shape).not.toBe(shape);
    expect(makeSink({ ...least, vector: "body" }).shape).not.toBe(shape);
  });
});

describe("the names of properties", () => {
  const refusals: readonly (readonly [string, object, object, RegExp])[] = [
    ["an id", { fields: { id: "key" } }, {}, /the id of an object has no other name/],
    ["a vector", { fields: { vector: "v" } }, {}, /name the vector with `vector`/],
    ["a capital", { fields: { text: "Body" } }, {}, /`Body`.*lower-case letter/],
    ["our own", { fields: { text: "sluice" } }, {}, /`sluice`/],
    ["Weaviate's own", { fields: { text: "_additional" } }, {}, /`_additional`/],
    ["a hyphen", {}, { "due-date": "timestamp" }, /`due-date`.*Map it with `fields`/],
  ];
  for (const [what, config, fields, message] of refusals) {
    it(`cannot be ${what}`, () => {
      expect(() => makeSink({ ...least, ...config }, { fields: { ...fields } })).toThrow(message);
    });
  }
});
