import { describe, expect, it } from "vitest";
import { structureChunker } from "../../../../connectors/chunkers/structure/index.ts";
import type { Block, ChunkDraft } from "../../../../src/contracts/index.ts";
import { qwen3Tokenizer } from "../../../../src/tokenizer/index.ts";
import {
  brokenSource,
  chunkerOf,
  chunksOf,
  collect,
  heading,
  paragraph,
} from "../chunk-document.ts";
import { sentences } from "../prose.ts";

const small = chunkerOf(structureChunker, { max_tokens: 100, overlap_tokens: 0 });

function own(chunk: ChunkDraft): string {
  return chunk.text.slice(chunk.repeated);
}

function section(path: string[]): Block[] {
  return [heading(path), paragraph("A short one.", path)];
}

describe("the structure chunker", () => {
  it("cuts prose only between sentences", async () => {
    const all = sentences(1, 200);
    const chunks = await chunksOf(small, [paragraph(all.join(" "))]);
    expect(chunks.length).toBeGreaterThan(20);
    const kept = chunks.flatMap((chunk) => own(chunk).split(/(?<=\.) /));
    expect(kept).toEqual(all);
  });

  it("fills chunks to at least 0.7 of the bound where sentences allow it", async () => {
    const chunks = await chunksOf(small, [paragraph(sentences(2, 400).join(" "))]);
    const full = chunks.slice(0, -1).filter((chunk) => chunk.tokens >= 60);
    expect(full.length).toBeGreaterThan((chunks.length - 1) * 0.9);
  });

  it("cuts code only between lines and tables only between rows, and repeats the header", async () => {
    const lines = Array.from({ length: 60 }, (_, at) => `  const value${at} = compute(${at});`);
    const rows = Array.from({ length: 60 }, (_, at) => `| row ${at} | some text, and more |`);
    const header = "| name | text |\n| --- | --- |";
    const blocks: Block[] = [
      { kind: "code", text: lines.join("\n"), headings: [], language: "ts" },
      { kind: "table", text: [header, ...rows].join("\n"), headings: [], headerLines: 2 },
    ];
    const chunks = await chunksOf(small, blocks);
    const kept = chunks.flatMap((chunk) => own(chunk).split(/\n+/));
    expect(kept).toEqual([...lines, ...header.split("\n"), ...rows]);
    const tables = chunks.filter((chunk) => chunk.text.includes("| row"));
    expect(tables.length).toBeGreaterThan(5);
    for (const chunk of tables) expect(chunk.text).toContain(header);
    for (const chunk of tables.slice(1)) expect(chunk.repeated).toBe(header.length + 1);
  });

  it("repeats the header also in a table of many thousand rows", async () => {
    const rows = Array.from({ length: 3000 }, (_, at) => `| row ${at} | some text, and more |`);
    const text = ["| name | text |", "| --- | --- |", ...rows].join("\n");
    const chunks = await chunksOf(small, [{ kind: "table", text, headings: [], headerLines: 2 }]);
    expect(chunks.filter((chunk) => !chunk.text.startsWith("| name | text |"))).toEqual([]);
    expect(chunks.flatMap((chunk) => own(chunk).split("\n")).length).toBe(3002);
  });

  it("never ends a chunk with the header of a table", async () => {
    const header = "| name | text |\n| --- | --- |";
    // Rows of half a chunk, so that often none of them fits beside the header.
    const rows = sentences(13, 20).map((text) => `| ${text.repeat(2).slice(0, 200)} | more |`);
    const text = [header, ...rows].join("\n");
    for (let seed = 0; seed < 40; seed += 1) {
      const before = paragraph(sentences(seed, 4).join(" "));
      const table: Block = { kind: "table", text, headings: [], headerLines: 2 };
      for (const chunk of await chunksOf(small, [before, table])) {
        expect(chunk.text.endsWith("| --- | --- |")).toBe(false);
      }
    }
  });

  it("keeps a table or code that fits into one chunk whole", async () => {
    const rows = Array.from({ length: 8 }, (_, at) => `| row ${at} | text |`).join("\n");
    const table: Block = {
      kind: "table",
      text: `| a | b |\n|--|--|\n${rows}`,
      headings: [],
      headerLines: 2,
    };
    const chunks = await chunksOf(small, [paragraph(sentences(3, 4).join(" ")), table]);
    expect(chunks.some((chunk) => own(chunk).includes(table.text))).toBe(true);
  });

  it("puts title and heading path into the context, without the heading that begins the text", async () => {
    const path = ["Guide", "Install"];
    const blocks = [heading(path), paragraph(sentences(4, 30).join(" "), path)];
    const chunks = await chunksOf(small, blocks, "Handbook");
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks[0]?.context).toBe("Handbook > Guide\n");
    expect(chunks[0]?.text.startsWith("Install\n\n")).toBe(true);
    expect(chunks[1]?.context).toBe("Handbook > Guide > Install\n");
    expect(chunks.every((chunk) => chunk.headings.join() === path.join())).toBe(true);
    const bare = chunkerOf(structureChunker, { max_tokens: 100, context: "none" });
    const [first] = await chunksOf(bare, blocks, "Handbook");
    expect(first?.context).toBe("");
  });

  it("does not name the title twice", async () => {
    const chunks = await chunksOf(small, [paragraph("Text.", ["Handbook", "Install"])], "Handbook");
    expect(chunks[0]?.context).toBe("Handbook > Install\n");
  });

  it("embeds a title that is the first heading once, wherever that heading stands", async () => {
    for (const path of [["Page 1"], ["Part", "Page  1"]]) {
      const [chunk] = await chunksOf(small, [heading(path), paragraph("Text.", path)], "Page 1");
      expect(`${chunk?.context}${chunk?.text}`.match(/Page +1/g)).toHaveLength(1);
    }
    const [other] = await chunksOf(small, [heading(["Intro"]), paragraph("Text.")], "Page 1");
    expect(other?.context).toBe("Page 1\n");
  });

  it("keeps the context within a quarter of the bound, however long headings are", async () => {
    const long = sentences(5, 40).join(" ");
    const [chunk] = await chunksOf(small, [paragraph("Text.", [long, long, "Inner"])], long);
    expect(chunk?.context).toBe("Inner\n");
    const [other] = await chunksOf(small, [paragraph("Text.", [long])]);
    expect(other?.context.length).toBeGreaterThan(20);
    expect(other?.tokens).toBeLessThanOrEqual(28);
  });

  it("never ends a chunk with a heading", async () => {
    const blocks = sentences(6, 60).flatMap((text, at) => {
      const path = ["Guide", `Part ${at}`];
      return [heading(path), paragraph(text.repeat(1 + (at % 4)), path)];
    });
    for (const chunk of await chunksOf(small, blocks)) {
      expect(chunk.text).not.toMatch(/Part \d+$/);
    }
  });

  it("joins small sections under one parent and no others", async () => {
    const blocks = [
      ...section(["A", "A1"]),
      ...section(["A", "A2"]),
      ...section(["B", "B1"]),
      ...section(["B", "B2"]),
    ];
    const chunks = await chunksOf(small, blocks);
    expect(chunks.map((chunk) => chunk.headings)).toEqual([
      ["A", "A1"],
      ["B", "B1"],
    ]);
    expect(chunks[0]?.text).toContain("A2");
    expect(chunks[0]?.text).not.toContain("B1");
  });

  it("never joins a part of a section to another section", async () => {
    const long = sentences(7, 20).join(" ");
    const blocks = [
      heading(["A", "Small"]),
      paragraph("Short.", ["A", "Small"]),
      heading(["A", "Large"]),
      paragraph(long, ["A", "Large"]),
      heading(["A", "Next"]),
      paragraph("Short too.", ["A", "Next"]),
    ];
    const chunks = await chunksOf(small, blocks);
    expect(chunks[0]?.text).toBe("Small\n\nShort.");
    expect(chunks.at(-1)?.text).toBe("Next\n\nShort too.");
  });

  it("repeats whole sentences within a section, up to the overlap and not across sections", async () => {
    const chunker = chunkerOf(structureChunker, { max_tokens: 120, overlap_tokens: 40 });
    const one = sentences(8, 30);
    const two = sentences(9, 30);
    const blocks = [paragraph(one.join(" "), ["One"]), paragraph(two.join(" "), ["Two"])];
    const chunks = await chunksOf(chunker, blocks);
    const repeated = chunks.map((chunk) => chunk.text.slice(0, chunk.repeated).trim());
    expect(repeated.filter((text) => text !== "").length).toBeGreaterThan(chunks.length / 2);
    const counts = await qwen3Tokenizer().countBatch(repeated);
    for (const [index, text] of repeated.entries()) {
      expect(counts[index]).toBeLessThanOrEqual(42);
      for (const part of text === "" ? [] : text.split(/(?<=\.) /)) {
        expect([...one, ...two]).toContain(part);
      }
      const isFirstOfTwo = chunks[index]?.headings[0] !== chunks[index - 1]?.headings[0];
      if (isFirstOfTwo) expect(text).toBe("");
    }
  });

  it("gives the page of the first block", async () => {
    const blocks: Block[] = [
      { ...paragraph(sentences(10, 6).join(" ")), page: 3 },
      { ...paragraph(sentences(11, 6).join(" ")), page: 4 },
    ];
    const chunks = await chunksOf(small, blocks);
    expect(chunks[0]?.page).toBe(3);
    expect(chunks.at(-1)?.page).toBe(4);
  });

  it("gives nothing for no blocks", async () => {
    expect(await chunksOf(small, [])).toEqual([]);
  });

  it("cuts a megabyte without a break into exact chunks that keep graphemes whole", async () => {
    const chunker = chunkerOf(structureChunker);
    const family = "👩‍👩‍👧‍👦";
    const marked = ["x\u0302", "x\u0302\u0323", "x\u0302\u0323\u0331\u0307\u0308\u030a"];
    const texts = [
      "x".repeat(1_000_000),
      "天地玄黄宇宙洪荒日月盈昃辰宿列张".repeat(20_000),
      "ประเทศไทยมีภูมิอากาศแบบร้อนชื้น".repeat(8_000),
      family.repeat(20_000),
      ...marked.map((grapheme) => grapheme.repeat(30_000)),
      " x".repeat(100_000) + " ".repeat(200_000) + "y",
    ];
    for (const text of texts) {
      const chunks = await chunksOf(chunker, [paragraph(text)]);
      expect(chunks.every((chunk) => chunk.tokens <= 512)).toBe(true);
      const all = chunks.map(own).join("").replaceAll(/\s/g, "");
      expect(all === text.replaceAll(/\s/g, "")).toBe(true);
      for (const grapheme of [family, ...marked].filter((each) => text.startsWith(each + each))) {
        expect(chunks.every((chunk) => chunk.text.replaceAll(grapheme, "") === "")).toBe(true);
      }
    }
  }, 60_000);

  it("holds a window and not the document", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Block> {
      for (const text of sentences(12, 100_000)) {
        given += text.length;
        yield paragraph(text);
      }
    }
    const context = { tokenizer: qwen3Tokenizer() };
    const chunks = small.chunk(endless(), context, new AbortController().signal);
    let taken = 0;
    for await (const chunk of chunks) {
      taken += chunk.text.length;
      if (taken > 500_000) break;
    }
    expect(given - taken).toBeLessThan(150_000);
  });

  it("stops on abort while the source is silent", async () => {
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<Block> {
      yield paragraph("One.");
      controller.abort(new Error("stopped"));
      await new Promise(() => {});
    }
    const chunks = small.chunk(silent(), { tokenizer: qwen3Tokenizer() }, controller.signal);
    await expect(collect(chunks)).rejects.toThrow("stopped");
  });

  it("passes on what the source throws", async () => {
    const signal = new AbortController().signal;
    const chunks = small.chunk(brokenSource(), { tokenizer: qwen3Tokenizer() }, signal);
    await expect(collect(chunks)).rejects.toThrow("broken source");
  });
});
