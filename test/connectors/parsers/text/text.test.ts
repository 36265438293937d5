import * as fc from "fast-check";
import { expect, test } from "vitest";
import { textParser } from "../../../../connectors/parsers/text/index.ts";
import { Paragraphs, paragraphMaxUnits } from "../../../../connectors/parsers/text/paragraphs.ts";
import { systemClock } from "../../../../src/flow/system-clock.ts";
import { documentOf, parse } from "../parse.ts";

const parser = textParser.create(
  {},
  { name: "text", pipeline: "test", folder: "/", clock: systemClock, fields: {} },
);

const textsOf = async (source: string | Uint8Array, size?: number): Promise<string[]> =>
  (await parse(parser, source, size)).blocks.map((block) => block.text);

const words = (text: string): string => text.replace(/\s+/g, "");

test.each([1, 2, 7, 1000])("blank lines part paragraphs, read %i bytes at a time", async (size) => {
  const source = "\n\n  first line\r\nsecond line\n \t\nthird\n\n\n\nfourth — ü\n";
  expect(await textsOf(source, size)).toEqual(["  first line\nsecond line", "third", "fourth — ü"]);
});

test("law: no character but white space is lost, doubled or moved", async () => {
  const source = fc.string({
    unit: fc.constantFrom("a", "b.", "ü", "😀", " ", "\n", "\t", "\u00A0"),
    maxLength: 200,
  });
  await fc.assert(
    fc.asyncProperty(source, fc.integer({ min: 1, max: 50 }), async (text, size) => {
      const texts = await textsOf(text, size);
      expect(words(texts.join("\n\n"))).toBe(words(text));
      expect(texts).toEqual(await textsOf(text));
      for (const block of texts) expect(block).not.toMatch(/\n[^\S\n]*\n|^\s*$/);
    }),
    { numRuns: 400 },
  );
});

test("law: how the text arrives in pieces is not to be seen in the paragraphs", () => {
  const piece = fc.string({ unit: fc.constantFrom("a", " ", "\n", "\n", "\t"), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const inPieces = new Paragraphs();
      const atOnce = new Paragraphs();
      const given = [...pieces.flatMap((each) => [...inPieces.add(each)]), ...inPieces.end()];
      expect(given).toEqual([...atOnce.add(pieces.join("")), ...atOnce.end()]);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["lines", "word word\n", /\nword word$|^word word$/],
  ["sentences", "A sentence of words. ", /\.$/],
  ["sentences without spaces", "文书を分割します。", /。$/],
  ["words", "word ", /word$/],
  ["nothing at all", "😀x", /./],
])("a paragraph too long for one block is cut between %s", async (_name, unit, ending) => {
  const source = unit.repeat(Math.ceil((paragraphMaxUnits * 3.3) / unit.length));
  const texts = await textsOf(source);
  expect(texts.length).toBeGreaterThanOrEqual(4);
  expect(words(texts.join(""))).toBe(words(source));
  for (const text of texts.slice(0, -1)) expect(text.slice(-20)).toMatch(ending);
  for (const text of texts) {
    expect(text.isWellFormed()).toBe(true);
    expect(text.length).toBeLessThanOrEqual(paragraphMaxUnits);
  }
});

test("a document without text gives a warning and no block", async () => {
  for (const source of ["", " \n\n\t\n"]) {
    const { blocks, warnings } = await parse(parser, source);
    expect(blocks).toEqual([]);
    expect(warnings.map((warning) => warning.code)).toEqual(["no-text"]);
  }
});

test("leaving early closes the content", async () => {
  let isClosed = false;
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from("paragraph\n\n".repeat(10_000));
    } finally {
      isClosed = true;
    }
  }
  const signal = new AbortController().signal;
  for await (const event of parser.parse(documentOf("endless"), content(), signal)) {
    if (event.kind === "block") break;
  }
  expect(isClosed).toBe(true);
});
