import { assert, constantFrom, jsonValue, oneof, property, string } from "fast-check";
import { expect, it } from "vitest";
import { plainJson, plainLine, plainLines } from "../../../src/cli/plain-text.ts";

/** Whatever could drive a terminal or turn the text around it. */
const unsafe = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

const hostile = string({
  unit: oneof(
    constantFrom("\u001b[2J", "\u009b", "\u007f", "\r", "\n", "\t", "\u2028", "\u202e", "\ud800"),
    string({ unit: "binary", minLength: 1, maxLength: 1 }),
    string({ minLength: 1, maxLength: 3 }),
  ),
});

it("leaves nothing in a line that could drive a terminal, and no second line", () => {
  assert(
    property(hostile, (text) => {
      expect(plainLine(text)).not.toMatch(unsafe);
    }),
  );
});

it("keeps line ends and tabs of a passage, and nothing else", () => {
  assert(
    property(hostile, (text) => {
      for (const line of plainLines(text)) expect(line.replaceAll("\t", "")).not.toMatch(unsafe);
    }),
  );
});

it("escapes JSON without changing its value", () => {
  assert(
    property(jsonValue(), hostile, (value, text) => {
      const held = { value, [text]: text };
      const json = plainJson(JSON.stringify(held, undefined, 2));
      expect(json.replaceAll("\n", "")).not.toMatch(unsafe);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(held)));
    }),
  );
});

it("leaves the text of every script and emoji as it is", () => {
  for (const text of ["Grüße", "日本語", "हिन्दी", "العربية", "👩‍👩‍👧 🇪🇺", "a — b…"]) {
    expect(plainLine(text)).toBe(text);
    expect(plainJson(JSON.stringify(text))).toBe(JSON.stringify(text));
  }
});

it("shows which character was there", () => {
  expect(plainLine("a\u001b[31mb\nc\u202e")).toBe(String.raw`a\x1b[31mb\nc\u{202e}`);
});
