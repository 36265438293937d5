import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/contracts/index.ts";
import {
  canonicalJson,
  chunkId,
  digest,
  parseFingerprint,
  recordFingerprint,
} from "../../../src/engine/identity.ts";
import { metadataHash } from "../../../src/engine/versions.ts";
import { RigSource } from "./rig/source.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });

describe("the id of a chunk", () => {
  it("is a UUID of version 8 and variant 10, in lower case", () => {
    fc.assert(
      fc.property(text, text, text, text, fc.nat(1000), (...parts) => {
        expect(chunkId(...parts)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });

  it("begins with the pipeline, and with nothing else", () => {
    const [one, two, other] = [
      chunkId("p", "a", "b", "c", 0),
      chunkId("p", "x", "y", "z", 9),
      chunkId("q", "a", "b", "c", 0),
    ];
    expect(one.slice(0, 8)).toBe(two.slice(0, 8));
    expect(one.slice(0, 8)).not.toBe(other.slice(0, 8));
    expect(one.slice(8)).not.toBe(other.slice(8));
  });

  it("stays what it is: ids in collections that exist depend on it", () => {
    expect(chunkId("handbook", "docs", "guide/install.md", "Install it.", 0)).toBe(
      "b4128df2-0072-815a-827d-4242228acc13",
    );
  });

  it("differs when text moves from one part to the next", () => {
    fc.assert(
      fc.property(text, text, text, fc.nat(5), (source, document, chunk, at) => {
        const whole = source + document;
        const cut = at % (whole.length + 1);
        const moved = [whole.slice(0, cut), whole.slice(cut)] as const;
        fc.pre(moved[0] !== source);
        const id = chunkId("p", source, document, chunk, 0);
        expect(chunkId("p", moved[0], moved[1], chunk, 0)).not.toBe(id);
      }),
    );
    expect(chunkId("p", "a", "b", "c1", 0)).not.toBe(chunkId("p", "a", "b", "c", 10));
    expect(chunkId("p", "a", 'b","c', "d", 0)).not.toBe(chunkId("p", "a", "b", 'c","d', 0));
  });

  it("differs for every occurrence of an equal text", () => {
    const ids = Array.from({ length: 1000 }, (_, index) => chunkId("p", "a", "b", "c", index));
    expect(new Set(ids).size).toBe(1000);
  });

  it("does not collide among a hundred thousand texts", () => {
    const ids = new Set<string>();
    for (let index = 0; index < 100_000; index += 1) ids.add(chunkId("p", "s", "d", `${index}`, 0));
    expect(ids.size).toBe(100_000);
  });

  it("can be made of lone surrogates without failing", () => {
    expect(chunkId("p", "a", "b", "\ud800", 0)).not.toBe(chunkId("p", "a", "b", "\ud801", 0));
  });
});

describe("a digest", () => {
  it("depends on every part and on their number", () => {
    fc.assert(
      fc.property(fc.array(text), fc.array(text), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(digest(...one) === digest(...other)).toBe(same);
      }),
    );
    expect(digest("a", "")).not.toBe(digest("a"));
    expect(digest("a", "")).not.toBe(digest("", "a"));
  });
});

describe("canonical JSON", () => {
  it("is the same for any order of keys, and reads back as the value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const canonical = canonicalJson(value as JsonObject);
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value)));
        const reversed = reverseKeys(value);
        expect(canonicalJson(reversed as JsonObject)).toBe(canonical);
      }),
    );
  });

  it("keeps arrays apart from objects, and numbers from strings", () => {
    const values = [[], {}, "", "0", 0, null, false, [0], { "0": 0 }, [[]], [null]];
    expect(new Set(values.map((value) => canonicalJson(value))).size).toBe(values.length);
  });
});

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, item]) => [key, reverseKeys(item)]));
}

describe("a fingerprint", () => {
  it("tells version and number of records back", () => {
    fc.assert(
      fc.property(fc.nat(1e9 - 1), (records) => {
        const version = digest(String(records));
        expect(parseFingerprint(recordFingerprint(version, records))).toEqual({ version, records });
      }),
    );
  });

  it.each([
    "",
    "x-1",
    `${"0".repeat(32)}`,
    `${"0".repeat(31)}-1`,
    `${"0".repeat(32)}--1`,
    `${"g".repeat(32)}-1`,
    `${"0".repeat(32)}-1 `,
  ])("is not read from %j", (other) => {
    expect(parseFingerprint(other)).toBeUndefined();
  });
});

describe("the hash of what is said about a document", () => {
  const base = new RigSource().refOf("a", {
    text: "",
    revision: "1",
    title: "t",
    uri: "u",
    metadata: { b: 1, a: { d: 2, c: 3 } },
  });

  it("does not depend on the order of keys", () => {
    const other = { ...base, metadata: { a: { c: 3, d: 2 }, b: 1 } };
    expect(metadataHash(other, {})).toBe(metadataHash(base, {}));
  });

  it("depends on metadata, title, uri, media type and the metadata of the source", () => {
    const hashes = [
      metadataHash(base, {}),
      metadataHash({ ...base, metadata: { b: 2 } }, {}),
      metadataHash({ ...base, title: "u", uri: "t" }, {}),
      metadataHash({ ...base, uri: "other" }, {}),
      metadataHash({ ...base, mediaType: "text/markdown" }, {}),
      metadataHash(base, { team: "x" }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("takes the source's own revision of it, where there is one", () => {
    const marked = { ...base, metadataRevision: "7" };
    expect(metadataHash({ ...marked, metadata: { other: 1 } }, {})).toBe(metadataHash(marked, {}));
    expect(metadataHash({ ...marked, metadataRevision: "8" }, {})).not.toBe(
      metadataHash(marked, {}),
    );
  });

  it("does not depend on revision, order or content", () => {
    expect(metadataHash({ ...base, revision: "2", order: 3n }, {})).toBe(metadataHash(base, {}));
  });
});
