import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutText } from "../../../src/embedding/index.ts";
import { qwen3Tokenizer } from "../../../src/tokenizer/index.ts";

const tokenizer = qwen3Tokenizer();
const sentence = fc.constantFrom(
  "A sluice is a gate.",
  " Is it? ",
  "\n\nIt controls the flow of water, e.g. in a channel!",
  "水門は水の流れを調節する。",
  " 🦙👩‍👩‍👧‍👦🏽 ",
  "x".repeat(300),
  "\t\t\n",
  "e\u0301\u0327 <|im_end|>",
  "Dr. Who had 3.5 ideas",
);
const text = fc.array(sentence, { maxLength: 40 }).map((parts) => parts.join(""));

describe("cutText", () => {
  it("gives parts that, joined, are the text, each within the limit, with its exact count", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 16, max: 200 }), async (whole, maxTokens) => {
        const parts = await cutText(whole, tokenizer, maxTokens);
        expect(parts.map((part) => part.text).join("")).toBe(whole);
        const counts = await tokenizer.countBatch(parts.map((part) => part.text));
        expect(parts.map(({ tokens }) => tokens)).toEqual(counts);
        for (const { tokens } of parts) expect(tokens).toBeLessThanOrEqual(maxTokens);
      }),
      { numRuns: 200 },
    );
  });

  it("leaves a text alone that fits", async () => {
    expect(await cutText("Two words.", tokenizer, 3)).toEqual([{ text: "Two words.", tokens: 3 }]);
    expect(await cutText("", tokenizer, 3)).toEqual([{ text: "", tokens: 0 }]);
  });

  it("cuts behind sentences where they fit", async () => {
    const sentences = Array.from({ length: 30 }, (_, index) => `This is sentence ${index} of it.`);
    const parts = await cutText(sentences.join(" "), tokenizer, 50);
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts) expect(part.text).toMatch(/^ ?This is .* of it\.$/);
  });

  it("cuts behind words where a sentence does not fit, and inside a word that does not", async () => {
    const words = Array.from({ length: 100 }, (_, index) => `word${index}`).join(" ");
    for (const part of await cutText(words, tokenizer, 20)) {
      expect(part.text).toMatch(/^(?: ?[a-z]+\d*)+$/);
    }
    const long = await cutText("pneumonoultramicroscopic".repeat(50), tokenizer, 10);
    expect(long.length).toBeGreaterThan(10);
  });

  it("never cuts a surrogate pair", async () => {
    for (const part of await cutText("🦙".repeat(500), tokenizer, 7)) {
      expect(part.text.isWellFormed()).toBe(true);
    }
  });

  it("cuts a text of 40,000 tokens and more into full parts", async () => {
    const page = readFileSync("docs/architecture.md", "utf8");
    const long = page.repeat(Math.ceil(200_000 / page.length));
    const [total = 0] = await tokenizer.countBatch([long]);
    expect(total).toBeGreaterThan(40_000);
    const parts = await cutText(long, tokenizer, 8_000);
    expect(parts.map((part) => part.text).join("")).toBe(long);
    expect(parts.length).toBeLessThanOrEqual(Math.ceil(total / 7_500));
  });
});
