import { hash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lexicalEmbedder } from "../../../../connectors/embedders/lexical/index.ts";
import { Vectorizer } from "../../../../connectors/embedders/lexical/vectorizer.ts";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { embedderLaws } from "../../../../src/testkit/embedder-laws.ts";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";

const { signal } = new AbortController();

function make(config: Record<string, unknown> = {}): Embedder {
  return lexicalEmbedder.create(lexicalEmbedder.config.parse(config), {} as never);
}

async function vectorsOf(texts: readonly string[], embedder = make()) {
  return (await embedder.embed(texts, "document", signal)).vectors;
}

async function vectorOf(text: string, embedder = make()): Promise<Float32Array> {
  return (await vectorsOf([text], embedder))[0]!;
}

function cosine(left: Float32Array, right: Float32Array, dimension = left.length): number {
  const [a, b] = [left.subarray(0, dimension), right.subarray(0, dimension)];
  const dot = a.reduce((sum, number, index) => sum + number * b[index]!, 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

registerLaws(
  embedderLaws({
    embedder: async () => make(),
    notSupported: {
      wrong: "there is no far end",
      unreachable: "there is no far end",
      silent: "there is no far end",
      tooLongText: "there is no model whose context could overflow",
      inParts: "there is no model whose context could overflow",
    },
  }),
  { describe, it },
  { title: "lexical embedder keeps the laws: it" },
);

describe("lexical embedder", () => {
  it("says what it is: native dimension, every prefix from 32, a revision, no prompts", async () => {
    expect(await make({ native_dimension: 768 }).open(signal)).toEqual({
      id: "sluice-lexical",
      revision: "1",
      dimensions: { native: 768, min: 32, matryoshka: true },
      contextTokens: 1_000_000,
      prompts: { document: "", query: "" },
    });
  });

  it("gives every text a vector of length 1 whose shortest prefix is not zero", async () => {
    const embedder = make();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (text) => {
        const vector = await vectorOf(text, embedder);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
        expect(Math.hypot(...vector.subarray(0, 32))).toBeGreaterThan(0);
      }),
      { numRuns: 120 },
    );
  });

  it("finds no pair of words that cancel each other out in the shortest prefix", async () => {
    const embedder = make();
    const letters = "abcdefghijklmnopqrstuvwxyz".split("");
    const texts = letters.flatMap((left) => letters.map((right) => `${left} ${right}`));
    for (const vector of await vectorsOf(texts, embedder)) {
      expect(Math.hypot(...vector.subarray(0, 32))).toBeGreaterThan(0);
    }
  });

  it.each(["", "   \n", "???", "🙂", "the of and", "…", "\ud800", "a"])(
    "gives %j a vector that is not zero and is its own",
    async (text) => {
      const vector = await vectorOf(text);
      expect(cosine(vector, vector)).toBeCloseTo(1);
      expect(cosine(vector, await vectorOf("pressure distribution"))).toBeLessThan(0.5);
    },
  );

  it("gives the same vectors on every machine, for good", async () => {
    const vector = await vectorOf("Sluice keeps an index in sync, naïvely? 日本 parseHtmlFile 42");
    expect([...vector.subarray(0, 8)].map((number) => number.toFixed(6))).toMatchInlineSnapshot(`
      [
        "-0.010086",
        "0.000000",
        "0.000000",
        "0.007151",
        "-0.006510",
        "0.000000",
        "0.000000",
        "0.000000",
      ]
    `);
    const bytes = Buffer.from(vector.buffer);
    expect(hash("sha256", bytes)).toMatchInlineSnapshot(
      `"d34c0ccc57ef9baea8954169b228152380a412e8f69caef7213d51b8775daf1d"`,
    );
  });

  it("gives a shorter native dimension the prefix of a longer one", async () => {
    const text = "the lift of a swept wing at supersonic speed";
    const long = await vectorOf(text, make({ native_dimension: 2048 }));
    for (const native of [32, 100, 768, 1024, 1500]) {
      const short = await vectorOf(text, make({ native_dimension: native }));
      expect(short).toHaveLength(native);
      expect(cosine(short, long.subarray(0, native))).toBeCloseTo(1, 5);
    }
  });

  it("finds the text that shares words with the query among others, at every prefix", async () => {
    const texts = [
      "Deletions are guarded: at most a tenth of the documents may vanish in a day.",
      "The embedding cache keeps vectors at native dimension and forgets the oldest.",
      "Install the package with npm and run the quickstart pipeline.",
      "A heading path is prefixed to the text of every chunk.",
    ];
    const queries = ["guarded deletion", "cached vector", "how to install", "headings of chunks"];
    const documents = await vectorsOf(texts);
    for (const dimension of [1024, 512, 256, 128]) {
      for (const [index, query] of (await vectorsOf(queries)).entries()) {
        const scores = documents.map((document) => cosine(query, document, dimension));
        expect(scores.indexOf(Math.max(...scores))).toBe(index);
      }
    }
  });

  it.each([
    ["other endings", "chunking documents", "a chunked document"],
    ["upper case", "EMBEDDING Server", "embedding server"],
    ["accents, composed or not", "cafe\u0301 naïve", "café naive"],
    ["a compound name", "parse html", "call parseHtmlFile"],
    ["underscores", "timeout ms", "set timeout_ms"],
    ["a misspelling", "embeding dimensions", "embedding dimensions"],
    ["full-width letters", "ｓｌｕｉｃｅ", "sluice"],
    ["Chinese", "删除的保护", "如何保护文件不被删除"],
    ["Japanese", "日本語の検索", "検索は日本語で行う"],
    ["Korean", "문서를 삭제", "문서가 삭제되었다"],
    ["Thai", "ฐานข้อมูล", "เก็บในฐานข้อมูลเวกเตอร์"],
  ])("sees through %s", async (_, left, right) => {
    const [a, b] = await vectorsOf([left, right]);
    expect(cosine(a!, b!)).toBeGreaterThan(0.25);
  });

  it("does not let stop words make texts alike", async () => {
    const [a, b] = await vectorsOf(["what is the lift of it", "what is the drag of it"]);
    expect(cosine(a!, b!)).toBeLessThan(0.25);
  });

  it("gives a text the same vector when it has forgotten its words in between", async () => {
    const embedder = make({ native_dimension: 64 });
    const text = "flow flows flowing over a heated plate";
    const before = await vectorOf(text, embedder);
    const others = Array.from({ length: 21_000 }, (_, index) => `w${index.toString(36)}`).join(" ");
    await vectorOf(others, embedder);
    expect(await vectorOf(text, embedder)).toEqual(before);
    const split = `${text} ${others} ${text}`;
    expect(await vectorOf(split, embedder)).toEqual(
      await vectorOf(split, make({ native_dimension: 64 })),
    );
  });

  it("counts a word however it ends, and weighs it more when it stands more often", async () => {
    const [mixed, same, once] = await vectorsOf([
      "heat flows, flowing flow",
      "heat flow flow flow",
      "heat flow",
    ]);
    expect(cosine(mixed!, same!)).toBeCloseTo(1, 5);
    const flow = await vectorOf("flow");
    expect(cosine(same!, flow)).toBeGreaterThan(cosine(once!, flow) + 0.1);
  });

  it("gives others a turn in the middle of one long text, and stops there on abort", async () => {
    let turns = 0;
    const turn = async () => {
      turns += 1;
      if (turns === 3) throw new Error("enough");
    };
    const call = new Vectorizer(32).vectorize("word ".repeat(400_000), turn);
    await expect(call).rejects.toThrow("enough");
    expect(turns).toBe(3);
  });

  it("stops on abort between texts", async () => {
    const controller = new AbortController();
    const text = "word ".repeat(20_000);
    const call = make().embed([text, text], "document", controller.signal);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  it("takes a megabyte without a space", async () => {
    for (const unit of ["a", "漢", "a1", "🙂", "\u0301"]) {
      const vector = await vectorOf(unit.repeat(1_000_000 / unit.length));
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  it("refuses work after it was closed", async () => {
    const embedder = make();
    await embedder.close();
    await expect(vectorOf("x", embedder)).rejects.toThrow("closed");
  });

  it.each([0, 31, 16_385, 64.5, "1024"])("refuses the native dimension %s", (dimension) => {
    expect(lexicalEmbedder.config.safeParse({ native_dimension: dimension }).success).toBe(false);
  });

  it("parses its own examples", () => {
    for (const { config } of lexicalEmbedder.examples) lexicalEmbedder.config.parse(config);
  });
});
