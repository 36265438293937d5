import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { preTokenEnd } from "../../../src/tokenizer/pre-tokens.ts";
import { nativeTokenizer } from "./native-oracle.ts";
import { nastyText } from "./texts.ts";

const native = nativeTokenizer().getPreTokenizer();

/** Bytes of each pre-token: the native one writes a letter for each byte. */
function nativeLengths(text: string): number[] {
  return (native?.preTokenizeString(text) ?? []).map(([token]) => [...token].length);
}

function ownLengths(text: string): number[] {
  const lengths: number[] = [];
  for (let start = 0; start < text.length;) {
    const end = preTokenEnd(text, start, text.length);
    lengths.push(Buffer.byteLength(text.slice(start, end)));
    start = end;
  }
  return lengths;
}

describe("preTokenEnd", () => {
  it("splits nasty texts where the model's regular expression does", () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        expect(ownLengths(text)).toEqual(nativeLengths(text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    "'ſa 'Sa 'rEx 'vEx 'lLx 'lx 'rx 'da",
    "a  b   \n \t c",
    "!\r\n\n x",
    " \n 'll",
    "１2三",
  ])("splits %j as the native tokenizer does", (text) => {
    expect(ownLengths(text)).toEqual(nativeLengths(text));
  });
});
