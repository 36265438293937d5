import type { Tokenizer } from "../../../../src/contracts/index.ts";
import { tokenizerLaws } from "../../../../src/testkit/index.ts";
import { fakeTokenizerHarness } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateTokenizer = (tokenizer: Tokenizer) => Tokenizer;

export const tokenizerMutants = mutantsOf(
  "a tokenizer that",
  (mutate: MutateTokenizer) => tokenizerLaws(fakeTokenizerHarness(mutate)),
  [
    [
      "estimates its counts",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        countBatch: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
      }),
    ],
    [
      "leaves the end of a text out of its borders",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        pieces: async (texts) =>
          (await tokenizer.pieces(texts)).map(({ ends, counts }) => ({
            ends: ends.slice(0, -1),
            counts: counts.slice(0, -1),
          })),
      }),
    ],
    [
      "gives its borders in code points",
      "gives borders that end at the end of the text and agree with the count",
      (tokenizer) => ({
        ...tokenizer,
        pieces: async (texts) =>
          (await tokenizer.pieces(texts)).map(({ ends, counts }, index) => ({
            ends: ends.map((end) => Array.from((texts[index] ?? "").slice(0, end)).length),
            counts,
          })),
      }),
    ],
  ],
);
