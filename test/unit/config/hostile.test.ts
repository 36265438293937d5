import * as fc from "fast-check";
import { expect, test } from "vitest";
import { goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

const pieces = [
  "${A}",
  "${",
  "}",
  "{",
  "[",
  "]",
  ": ",
  "\n",
  "\n  ",
  "\t",
  "- ",
  "*a",
  "&a ",
  "!!str ",
  "!x ",
  '"',
  "'",
  "#",
  "|\n",
  "? ",
  "---\n",
  "%",
  "~",
  "null",
  "__proto__: 1\n",
  "<<: *a\n",
  ".inf",
  "0x",
  "\0",
  "\uFEFF",
  "\u2028",
  "é",
  "😀",
  "type: files\n",
  "sources:\n",
  "dimension: 5\n",
];

const edit = fc.record({
  at: fc.nat(goodFile.length),
  remove: fc.nat(12),
  insert: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }).map((parts) => parts.join("")),
});

/** Damages that were once told at a place that is not in the file. */
const once: [{ at: number; remove: number; insert: string }[]][] = [
  // A quote that is open to the end of the file, in a list.
  [
    [
      { at: 77, remove: 0, insert: "[" },
      { at: 88, remove: 0, insert: '${"' },
    ],
  ],
];

test("no damage to a file makes the reader throw, or tell a problem at a place that is not in the file", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const text = edits.reduce(
        (before, { at, remove, insert }) =>
          before.slice(0, at) + insert + before.slice(at + remove),
        goodFile,
      );
      const { problems, config } = await readText(text);
      expect(problems.length === 0).toBe(config !== undefined);
      const lines = text.split("\n");
      for (const { at, message } of problems) {
        expect(message).not.toBe("");
        expect(at.line).toBeGreaterThanOrEqual(1);
        expect(at.line).toBeLessThanOrEqual(lines.length);
        expect(at.column).toBeGreaterThanOrEqual(1);
        expect(at.column).toBeLessThanOrEqual((lines[at.line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 200, examples: once },
  );
});

test.each([
  ["brackets", "[".repeat(900_000)],
  ["braces", "{".repeat(900_000)],
  ["dashes", "- ".repeat(30_000)],
  ["closing braces", "}".repeat(30_000)],
  ["variables in flow", `a: [${"${A}, ".repeat(30_000)}]`],
  ["anchors", "&a ".repeat(20_000)],
  ["aliases", `a: &a x\n${"b: *a\n".repeat(30_000)}`],
  ["keys", ":\n".repeat(30_000)],
  ["unknown keys", Array.from({ length: 20_000 }, (_, index) => `key${index}: 1\n`).join("")],
  ["quotes", '"\n'.repeat(30_000)],
])("a file of nothing but %s ends within seconds", async (_, text) => {
  const began = performance.now();
  const { problems } = await readText(text);
  expect(problems.length).toBeGreaterThan(0);
  expect(performance.now() - began).toBeLessThan(10_000);
});
