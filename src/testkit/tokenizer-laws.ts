import type { Tokenizer } from "../contracts/index.ts";
import { checkEqual, checkThat } from "./check.ts";
import { bindLaws, lawBook, type Law, type LawContext, type LawHarness } from "./law.ts";

/** How the laws make a tokenizer. */
export interface TokenizerHarness extends LawHarness {
  tokenizer(context: LawContext): Promise<Tokenizer>;
}

const texts = [
  "",
  " ",
  "word",
  "Two words, and a stop.",
  "  leading and trailing  ",
  "line\nline\r\n\n\nline\ttab",
  "日本語の文章です。句読点もある。",
  "emoji 👩‍👩‍👧 🙂🙂 and e\u0301 combined",
  "x".repeat(3_000),
  "const value = items[0]?.name ?? 'none'; // comment",
  "1234567890 3.14159 0xff",
];

const book = lawBook<TokenizerHarness>();
const { law } = book;

law("counts one number for each text, in their order", async (harness, context) => {
  const tokenizer = await harness.tokenizer(context);
  const together = await tokenizer.countBatch(texts);
  const singles: number[] = [];
  for (const text of texts) singles.push(...(await tokenizer.countBatch([text])));
  checkEqual(together, singles, "the counts of a batch");
  checkEqual(together[0], 0, "the count of an empty text");
  checkEqual(await tokenizer.countBatch([]), [], "the counts of no texts");
  const whole = together.every((count) => Number.isSafeInteger(count) && count >= 0);
  checkThat(whole, "the counts", together, "whole numbers");
});

law(
  "gives borders that end at the end of the text and agree with the count",
  async (harness, context) => {
    const tokenizer = await harness.tokenizer(context);
    const [all, counts] = [await tokenizer.pieces(texts), await tokenizer.countBatch(texts)];
    checkEqual(all.length, texts.length, "the pieces of a batch");
    for (const [index, { ends, counts: upTo }] of all.entries()) {
      const text = texts[index] ?? "";
      const what = `of ${JSON.stringify(text.slice(0, 30))}`;
      checkEqual(upTo.length, ends.length, `the counts ${what}`);
      checkEqual(ends.at(-1) ?? 0, text.length, `the last border ${what}`);
      checkEqual(upTo.at(-1) ?? 0, counts[index], `the last count ${what}`);
      checkAscending([...ends], `the borders ${what}`);
      checkAscending([...upTo], `the counts ${what}`);
    }
  },
);

law("cuts no character in two", async (harness, context) => {
  const tokenizer = await harness.tokenizer(context);
  for (const [index, { ends }] of (await tokenizer.pieces(texts)).entries()) {
    for (const end of ends) {
      const left = (texts[index] ?? "").slice(0, end);
      checkThat(left.isWellFormed(), "a text cut at a border", left.slice(-4), "well-formed");
    }
  }
});

law("counts a text cut at a border as the borders say", async (harness, context) => {
  const tokenizer = await harness.tokenizer(context);
  if (!tokenizer.exact) return;
  for (const [index, { ends, counts }] of (await tokenizer.pieces(texts)).entries()) {
    const borders = [...ends].slice(0, 40);
    const lefts = borders.map((end) => (texts[index] ?? "").slice(0, end));
    checkEqual(
      await tokenizer.countBatch(lefts),
      [...counts].slice(0, 40),
      `the counts of the beginnings of ${JSON.stringify(texts[index]?.slice(0, 30))}`,
    );
  }
});

law("has an id and always counts the same", async (harness, context) => {
  const [first, second] = [await harness.tokenizer(context), await harness.tokenizer(context)];
  checkThat(first.id.length > 0, "the id", first.id, "a name");
  checkEqual(second.id, first.id, "the id of another one");
  const counts = await Promise.all([first, second, first].map((each) => each.countBatch(texts)));
  checkEqual(counts[1], counts[0], "the counts of another one");
  checkEqual(counts[2], counts[0], "the counts at the same time");
});

function checkAscending(numbers: readonly number[], what: string): void {
  const broken = numbers.findIndex((number, index) => number <= (numbers[index - 1] ?? 0));
  checkEqual(broken, -1, `the first of ${what} that does not ascend`);
}

/** What every tokenizer promises. */
export function tokenizerLaws(harness: TokenizerHarness): Law[] {
  return bindLaws(harness, book.definitions);
}
