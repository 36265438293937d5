import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordPieces } from "../../../../connectors/embedders/lexical/word-pieces.ts";

async function piecesOf(text: string): Promise<string[]> {
  const [pieces] = await wordPieces.pieces([text]);
  const { ends } = pieces!;
  return [...ends].map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end));
}

describe("wordPieces", () => {
  it.each([
    ["Hello, world", ["Hello", ",", " world"]],
    ["aerothermoelastic", ["aeroth", "ermoel", "astic"]],
    ["検索 は", ["検", "索", " は"]],
    ["a  \n", ["a", "  \n"]],
    ["----- x", ["---", "--", " x"]],
    ["", []],
  ])("cuts %j", async (text, expected) => {
    expect(await piecesOf(text)).toEqual(expected);
  });

  it("covers every text, counts what it cuts, and splits no character", async () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 80 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(texts, async (list) => {
        const counts = await wordPieces.countBatch(list);
        for (const [index, { ends, counts: cumulative }] of (
          await wordPieces.pieces(list)
        ).entries()) {
          const text = list[index]!;
          expect(ends.at(-1) ?? 0).toBe(text.length);
          expect(cumulative.at(-1) ?? 0).toBe(counts[index]);
          for (const end of ends) expect(text.slice(0, end).isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it("gives the tokens before a cut the same count when the text ends there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 80 }), async (text) => {
        const [whole] = await wordPieces.pieces([text]);
        const parts = [...whole!.ends].map((end) => text.slice(0, end));
        expect(await wordPieces.countBatch(parts)).toEqual([...whole!.counts]);
      }),
      { numRuns: 50 },
    );
  });

  it("covers a megabyte without a space in small pieces", async () => {
    for (const unit of ["a", "漢", " ", "-", "🙂"]) {
      const text = unit.repeat(1_000_000 / unit.length);
      const [pieces] = await wordPieces.pieces([text]);
      expect(pieces!.ends.at(-1)).toBe(text.length);
      expect(pieces!.ends.length).toBeGreaterThan(40_000);
    }
  });
});
