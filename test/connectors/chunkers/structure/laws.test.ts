import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { structureChunker } from "../../../../connectors/chunkers/structure/index.ts";
import type { Block, ChunkDraft } from "../../../../src/contracts/index.ts";
import { nativeCounts } from "../../../unit/tokenizer/native-oracle.ts";
import { nastyText } from "../../../unit/tokenizer/texts.ts";
import { chunkerOf, chunksOf } from "../chunk-document.ts";
import { sentence, random } from "../prose.ts";

const prose = fc
  .tuple(fc.nat(), fc.integer({ min: 1, max: 25 }), nastyText)
  .map(([seed, count, nasty]) => {
    const next = random(seed);
    return Array.from({ length: count }, () => sentence(next)).join(" ") + nasty;
  });
const separators = fc.constantFrom(" ", "\n", "\n\n", "   ", "", "\n- ", "。", ", ");
const text = fc.oneof(
  prose,
  nastyText,
  fc.tuple(fc.array(nastyText, { maxLength: 20 }), separators).map(([all, by]) => all.join(by)),
  fc.tuple(nastyText, fc.integer({ min: 1, max: 200 })).map(([part, count]) => part.repeat(count)),
);

function blockOf(kind: Block["kind"], raw: string, headings: string[], page: number): Block {
  const lines = raw.toWellFormed().replaceAll(/\r\n?/g, "\n");
  const clean = kind === "code" ? lines.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd() : lines.trim();
  const common = { kind, headings, text: clean, ...(page > 0 && { page }) };
  return kind === "table" ? { ...common, headerLines: page } : common;
}

const block: fc.Arbitrary<Block> = fc
  .record({
    kind: fc.constantFrom<Block["kind"]>("heading", "paragraph", "list", "quote", "code", "table"),
    raw: text,
    headings: fc.array(fc.oneof(fc.constantFrom("One", "Two", "Deep"), nastyText), {
      maxLength: 3,
    }),
    page: fc.nat({ max: 2 }),
  })
  .map(({ kind, raw, headings, page }) =>
    blockOf(
      kind,
      raw,
      headings.map((name) => name.toWellFormed()),
      page,
    ),
  )
  .filter((made) => made.text.trim() !== "");

const config = fc
  .record({
    max_tokens: fc.constantFrom(32, 33, 64, 100, 512),
    overlap_tokens: fc.constantFrom(0, 10, 64),
    context: fc.constantFrom("none", "headings"),
    min_fill: fc.constantFrom(0.3, 0.7, 0.9),
  })
  .map(({ overlap_tokens: overlap, ...rest }) => {
    return { ...rest, overlap_tokens: Math.min(overlap, Math.floor(rest.max_tokens / 2)) };
  });

/** Walks the document along the chunks: only white space may be passed over between them. */
function expectNothingLost(blocks: readonly Block[], chunks: readonly ChunkDraft[]): void {
  const document = blocks.map((made) => made.text).join("\n\n");
  let position = 0;
  for (const chunk of chunks) {
    const own = chunk.text.slice(chunk.repeated);
    while (!document.startsWith(own, position)) {
      if (!/\s/.test(document[position] ?? "end")) {
        throw new Error(
          `lost or doubled at ${position}: ${JSON.stringify(document.slice(position, position + 60))}, chunk ${JSON.stringify(own.slice(0, 60))}`,
        );
      }
      position += 1;
    }
    position += own.length;
  }
  expect(document.slice(position).trim()).toBe("");
}

function expectRepeats(blocks: readonly Block[], chunks: readonly ChunkDraft[]): void {
  for (const [index, chunk] of chunks.entries()) {
    const repeated = chunk.text.slice(0, chunk.repeated).trim();
    if (repeated === "") continue;
    const isOverlap = chunks[index - 1]?.text.trimEnd().endsWith(repeated);
    const isHeader = blocks.some((made) => made.kind === "table" && made.text.startsWith(repeated));
    expect(isOverlap || isHeader).toBe(true);
  }
}

describe("the laws of the structure chunker", () => {
  it("hold for documents of nasty blocks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: 12 }),
        config,
        fc.option(nastyText, { nil: undefined }),
        async (blocks, options, title) => {
          const chunker = chunkerOf(structureChunker, options);
          const chunks = await chunksOf(chunker, blocks, title?.toWellFormed());
          expectNothingLost(blocks, chunks);
          expectRepeats(blocks, chunks);
          const embedded = chunks.map((chunk) => chunk.context + chunk.text);
          expect(chunks.map((chunk) => chunk.tokens)).toEqual(await nativeCounts(embedded));
          for (const chunk of chunks) {
            expect(chunk.tokens).toBeLessThanOrEqual(options.max_tokens);
            expect(chunk.text.slice(chunk.repeated).trim()).not.toBe("");
            expect(chunk.text.isWellFormed()).toBe(true);
            expect(chunk.context === "" || chunk.context.endsWith("\n")).toBe(true);
          }
          expect(await chunksOf(chunker, blocks, title?.toWellFormed())).toEqual(chunks);
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);
});
