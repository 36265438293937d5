import type { Block, ChunkDraft, Chunker, Tokenizer } from "../contracts/index.ts";
import { collect, streamOf } from "./check.ts";
import { createFakeTokenizer } from "./fakes/tokenizer.ts";
import type { LawContext, LawHarness } from "./law.ts";

/** How the laws make a chunker. */
export interface ChunkerHarness extends LawHarness {
  chunker(context: LawContext): Promise<Chunker>;
  /** The tokenizer to chunk with; the fake one when left out. */
  readonly tokenizer?: () => Promise<Tokenizer>;
  /** The bound of a chunk in tokens, context included. */
  readonly maxTokens?: number;
  /** How many blocks of a sentence the chunker may read before its first chunk. */
  readonly windowBlocks?: number;
}

/** A document that tries one thing. */
export interface ChunkerSample {
  readonly name: string;
  readonly title?: string;
  readonly blocks: readonly Block[];
}

const sentence = "The quick brown fox jumps over the lazy dog near the river bank. ";

/** Documents of many shapes; every law runs on all of them. */
export const chunkerSamples: readonly ChunkerSample[] = [
  { name: "one short paragraph", blocks: [paragraph("Short.")] },
  { name: "many short paragraphs", title: "Notes", blocks: manyParagraphs(60) },
  { name: "one long paragraph", blocks: [paragraph(numbered(200).trimEnd())] },
  { name: "headings and sections", title: "The guide", blocks: sections() },
  { name: "a long table", blocks: [heading("Prices", []), table(150)] },
  { name: "a long list of code", blocks: [heading("Code", []), code(200)] },
  { name: "a line without a break", blocks: [paragraph("abcdefghij".repeat(3_000))] },
  {
    name: "text without spaces",
    blocks: [paragraph("東京は日本の首都です。人口が多い。".repeat(200))],
  },
  { name: "pairs of surrogates", blocks: [paragraph("🙂👩‍👩‍👧é".repeat(800))] },
  {
    name: "odd white space",
    blocks: [paragraph("a  b\t\tc\nd\u00a0e \u3000f. ".repeat(100).trim())],
  },
  { name: "a title longer than most chunks", title: sentence.repeat(4).trim(), blocks: sections() },
  {
    name: "a heading longer than most chunks",
    blocks: [
      heading(numbered(40).trim(), []),
      paragraph(numbered(10).trim(), [numbered(40).trim()]),
    ],
  },
  {
    name: "repeated text",
    blocks: Array.from({ length: 80 }, () => paragraph("Same. Same. Same.")),
  },
  { name: "pages", blocks: pages(12) },
];

/** All chunks of a sample. */
export async function chunkSample(
  harness: ChunkerHarness,
  chunker: Chunker,
  sample: ChunkerSample,
  context: LawContext,
): Promise<ChunkDraft[]> {
  const tokenizer = await tokenizerOf(harness);
  const chunkContext =
    sample.title === undefined ? { tokenizer } : { tokenizer, title: sample.title };
  return collect(chunker.chunk(streamOf(sample.blocks), chunkContext, context.signal));
}

/** The tokenizer of a harness. */
export async function tokenizerOf(harness: ChunkerHarness): Promise<Tokenizer> {
  return (await harness.tokenizer?.()) ?? createFakeTokenizer();
}

export function paragraph(text: string, headings: readonly string[] = []): Block {
  return { kind: "paragraph", text, headings };
}

function heading(text: string, above: readonly string[]): Block {
  return { kind: "heading", text, headings: [...above, text] };
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `Sentence ${index}: ${sentence}`).join("");
}

function manyParagraphs(count: number): Block[] {
  return Array.from({ length: count }, (_, index) =>
    paragraph(`Paragraph ${index}. ${sentence.trim()}`),
  );
}

function sections(): Block[] {
  return ["Install", "Use", "Remove"].flatMap((name, index) => [
    heading(name, ["Guide"].slice(0, index)),
    paragraph(`${name}, first. ${sentence.trim()}`, [...["Guide"].slice(0, index), name]),
    {
      kind: "list" as const,
      text: Array.from(
        { length: 12 },
        (_, item) => `- ${name} item ${item}: ${sentence.trim()}`,
      ).join("\n"),
      headings: [...["Guide"].slice(0, index), name],
    },
    {
      kind: "quote" as const,
      text: `${name}, quoted. ${sentence.trim()}`,
      headings: [...["Guide"].slice(0, index), name],
    },
  ]);
}

function table(rows: number): Block {
  const lines = Array.from({ length: rows }, (_, row) => `| item ${row} | ${row * 3} euros |`);
  const text = ["| name | price |", "| --- | --- |", ...lines].join("\n");
  return { kind: "table", text, headings: ["Prices"], headerLines: 2 };
}

function code(lines: number): Block {
  const text = Array.from(
    { length: lines },
    (_, line) => `  const value${line} = compute(${line});`,
  );
  return { kind: "code", text: text.join("\n"), headings: ["Code"], language: "ts" };
}

function pages(count: number): Block[] {
  return Array.from({ length: count }, (_, index) => ({
    ...paragraph(`Page ${index + 1}. ${sentence.repeat(3).trim()}`),
    page: index + 1,
  }));
}
