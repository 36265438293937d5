import { describe, expect, it } from "vitest";
import { wholeChunker } from "../../../../connectors/chunkers/whole/index.ts";
import type { Block } from "../../../../src/contracts/index.ts";
import { qwen3Tokenizer } from "../../../../src/tokenizer/index.ts";
import { nativeCounts } from "../../../unit/tokenizer/native-oracle.ts";
import { chunkerOf, chunksOf, collect, heading, paragraph } from "../chunk-document.ts";

const chunker = chunkerOf(wholeChunker);

describe("the whole chunker", () => {
  it("makes one chunk of a document, counted exactly", async () => {
    const blocks = [heading(["Guide"]), paragraph("One.", ["Guide"]), paragraph("Two.", ["Guide"])];
    const chunks = await chunksOf(chunker, blocks, "Handbook");
    expect(chunks).toEqual([
      {
        text: "Guide\n\nOne.\n\nTwo.",
        headings: ["Guide"],
        tokens: (await nativeCounts(["Handbook\nGuide\n\nOne.\n\nTwo."]))[0],
        repeated: 0,
        context: "Handbook\n",
      },
    ]);
  });

  it("does not repeat a title that the text begins with", async () => {
    const [chunk] = await chunksOf(chunker, [heading(["Handbook"])], "Handbook");
    expect(chunk?.context).toBe("");
  });

  it("gives nothing for an empty document", async () => {
    expect(await chunksOf(chunker, [])).toEqual([]);
    expect(await chunksOf(chunker, [paragraph(" \n ")])).toEqual([]);
  });

  it("fails a document that is too long, with both numbers, and reads no more of it than needed", async () => {
    const small = chunkerOf(wholeChunker, { max_tokens: 32 });
    await expect(chunksOf(small, [paragraph("word ".repeat(40))])).rejects.toMatchObject({
      code: "chunk.failed",
      retry: "never",
      scope: "document",
    });
    await expect(chunksOf(small, [paragraph("word ".repeat(40))])).rejects.toThrow(/40.*32/);
    let given = 0;
    async function* endless(): AsyncGenerator<Block> {
      for (;;) {
        given += 1;
        yield paragraph("word ".repeat(100));
      }
    }
    const signal = new AbortController().signal;
    const chunks = small.chunk(endless(), { tokenizer: qwen3Tokenizer() }, signal);
    await expect(collect(chunks)).rejects.toThrow("max_tokens");
    expect(given).toBeLessThan(20);
  });
});
