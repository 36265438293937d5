import { globSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { qwen3Tokenizer } from "../../../src/tokenizer/index.ts";
import { nativeCounts } from "./native-oracle.ts";
import { publishedVectors } from "./published-vectors.ts";
import { nastyText } from "./texts.ts";

const tokenizer = qwen3Tokenizer();
const uniform = /[\p{Unified_Ideograph}\uac00-\ud7a3\p{Unassigned}\p{Private_Use}]/u;

async function expectNative(texts: readonly string[]): Promise<void> {
  const expected = await nativeCounts(texts);
  const counts = await tokenizer.countBatch(texts);
  const pieces = await tokenizer.pieces(texts);
  for (const [index, text] of texts.entries()) {
    if (counts[index] !== expected[index]) {
      expect({ text, count: counts[index] }).toEqual({ text, count: expected[index] });
    }
    expect(pieces[index]?.counts.at(-1) ?? 0, text).toBe(expected[index]);
    expect(pieces[index]?.ends.at(-1) ?? 0, text).toBe(text.length);
  }
}

describe("the Qwen3 tokenizer", () => {
  it("counts nasty texts as the native tokenizer does", async () => {
    await fc.assert(fc.asyncProperty(fc.array(nastyText, { maxLength: 20 }), expectNative), {
      numRuns: 500,
    });
  });

  it("counts every code point, alone and among neighbours, as the native tokenizer does", async () => {
    let texts: string[] = [];
    for (let code = 0; code < 0x11_00_00; code += 1) {
      const character = String.fromCodePoint(code);
      // Large uniform blocks are sampled; a prime step meets every residue.
      if (code % 61 !== 0 && uniform.test(character)) continue;
      texts.push(`${character}a\u0345${character}\u0301 '${character}b!${character}1`);
      if (texts.length < 400) continue;
      // One text of many: the native call costs more than the text.
      await expectNative([texts.join("\n")]);
      texts = [];
    }
    await expectNative([texts.join("\n")]);
  }, 60_000);

  it("counts text of many scripts, code and Markdown as the native tokenizer does", async () => {
    const files = globSync("node_modules/{*,@*/*}/*.md").slice(0, 80);
    expect(files.length).toBeGreaterThan(20);
    const sources = globSync("src/**/*.ts").slice(0, 20);
    const texts = [...files, ...sources].map((file) => readFileSync(file, "utf8"));
    const scripts = [
      "我想在apple工作1314151天～。他说：“你好！”然后走了。",
      "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
      "កាន់តែពិសេសអាច😁 นี่คือประโยคภาษาไทย ไม่มีช่องว่าง",
      "🚀 (normal) 😶‍🌫️ (multiple emojis concatenated) ✅ (only emoji that has its own token)",
      "Cửa Việt, w048 7tuijk dsdfhu\n\n\n \t\n ''''''```````\"\"\"\"......!!!!!!?????? 'RE you sure? We'Ve",
    ];
    await expectNative([...texts, ...scripts, ...scripts.map((text) => text.normalize("NFD"))]);
  });

  it("counts the published test vectors right", async () => {
    expect(publishedVectors.length).toBe(46);
    const counts = await tokenizer.countBatch(publishedVectors.map(([, text]) => text));
    expect(counts).toEqual(publishedVectors.map(([tokens]) => tokens));
  });

  it("counts what is between two borders as the difference of their counts", async () => {
    await fc.assert(
      fc.asyncProperty(nastyText, fc.nat(), fc.nat(), async (text, one, two) => {
        const [pieces] = await tokenizer.pieces([text]);
        const ends = [0, ...(pieces?.ends ?? [])];
        const counts = [0, ...(pieces?.counts ?? [])];
        const [from, to] = [one % ends.length, two % ends.length].toSorted((a, b) => a - b);
        const [prefix, part] = await nativeCounts([
          text.slice(0, ends[to ?? 0]),
          text.slice(ends[from ?? 0], ends[to ?? 0]),
        ]);
        expect(prefix).toBe(counts[to ?? 0]);
        expect(part).toBe((counts[to ?? 0] ?? 0) - (counts[from ?? 0] ?? 0));
      }),
      { numRuns: 500 },
    );
  });

  it.each(["  1", " \t!", "a \u00a0?", " \u00a0\u{1e4ec}\u0301", "\n \t1", "x  \n  2"])(
    "gives no border at which a run of white space would join: %j",
    async (text) => {
      const [pieces] = await tokenizer.pieces([text]);
      const prefixes = [...(pieces?.ends ?? [])].map((end) => text.slice(0, end));
      expect([...(pieces?.counts ?? [])]).toEqual(await nativeCounts(prefixes));
      expect(prefixes.at(-1)).toBe(text);
    },
  );

  it("gives borders inside text that is not in NFC", async () => {
    const text = "Cafe\u0301 cre\u0300me, bru\u0302le\u0301e".repeat(3);
    const [pieces] = await tokenizer.pieces([text]);
    expect([...(pieces?.ends ?? [])].map((end) => text.slice(0, end)).slice(0, 3)).toEqual([
      "Cafe\u0301",
      "Cafe\u0301 cre\u0300me",
      "Cafe\u0301 cre\u0300me,",
    ]);
  });

  it("counts pre-tokens of a million characters like the native tokenizer, in seconds", async () => {
    await expectNative([
      "a".repeat(200_000),
      "漢字".repeat(60_000),
      "xyzzy".repeat(30_000),
      "é".repeat(150_000),
    ]);
    const start = performance.now();
    await tokenizer.countBatch(["a".repeat(1_000_000)]);
    expect(performance.now() - start).toBeLessThan(10_000);
  }, 30_000);
});
