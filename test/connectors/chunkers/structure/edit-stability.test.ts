import { describe, expect, it } from "vitest";
import { structureChunker } from "../../../../connectors/chunkers/structure/index.ts";
import type { Block } from "../../../../src/contracts/index.ts";
import { chunkerOf, chunksOf, heading, paragraph } from "../chunk-document.ts";
import { random, sentence, sentences } from "../prose.ts";

const chunker = chunkerOf(structureChunker);

/** Chunks of the second document that the first does not have. */
async function changed(before: readonly Block[], after: readonly Block[]): Promise<number> {
  const known = new Set(
    (await chunksOf(chunker, before)).map((chunk) => chunk.context + chunk.text),
  );
  const now = await chunksOf(chunker, after);
  return now.filter((chunk) => !known.has(chunk.context + chunk.text)).length;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** Sentences joined to paragraphs of 2 to 9. */
function paragraphs(seed: number, texts: readonly string[]): Block[] {
  const next = random(seed);
  const blocks: Block[] = [];
  for (let at = 0; at < texts.length;) {
    const end = at + 2 + Math.floor(next() * 8);
    blocks.push(paragraph(texts.slice(at, end).join(" ")));
    at = end;
  }
  return blocks;
}

function sections(edited: string): Block[] {
  return Array.from({ length: 40 }, (_, at) => {
    const path = ["Guide", `Part ${at}`];
    const text = sentences(at, 20).join(" ");
    return [heading(path), paragraph(at === 0 ? edited + text : text, path)];
  }).flat();
}

describe("edit stability", () => {
  it("changes at most 8 of 100 chunks on average when 3 sentences are inserted at the top of one long text", async () => {
    const counts: number[] = [];
    for (let seed = 0; seed < 12; seed += 1) {
      const texts = sentences(seed, 2000);
      const inserted = sentences(seed + 1000, 3);
      counts.push(
        await changed([paragraph(texts.join(" "))], [paragraph([...inserted, ...texts].join(" "))]),
      );
    }
    expect(mean(counts)).toBeLessThanOrEqual(8);
  });

  it("changes at most 8 of 100 chunks on average when a paragraph is inserted before others", async () => {
    const counts: number[] = [];
    for (let seed = 0; seed < 12; seed += 1) {
      const blocks = paragraphs(seed, sentences(seed, 2000));
      counts.push(
        await changed(blocks, [paragraph(sentences(seed + 1000, 3).join(" ")), ...blocks]),
      );
    }
    expect(mean(counts)).toBeLessThanOrEqual(8);
  });

  it("changes only the edited section of a text with headings", async () => {
    expect(await changed(sections(""), sections(`${sentence(random(77))} `))).toBeLessThanOrEqual(
      2,
    );
  });
});
