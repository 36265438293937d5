import { describe, expect, it } from "vitest";
import { sentences } from "../../../../connectors/chunkers/structure/sentences.ts";

function split(text: string): string[] {
  return Array.from(sentences(text), ({ start, end }) => text.slice(start, end));
}

describe("sentences", () => {
  it.each<[string, string[]]>([
    ["One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
    ["Dr. Smith et al. came. He left.", ["Dr. Smith et al. came.", "He left."]],
    ["Version 3.14 of e.g. Node. See Fig. 2.", ["Version 3.14 of e.g. Node.", "See Fig. 2."]],
    ["J. R. Smith wrote it. Yes.", ["J. R. Smith wrote it.", "Yes."]],
    [
      'He said "Stop!" and left. "No." She stayed.',
      ['He said "Stop!" and left.', '"No."', "She stayed."],
    ],
    ["Wait... what? Yes.", ["Wait... what?", "Yes."]],
    ["你好。我是谁？走吧！好", ["你好。", "我是谁？", "走吧！", "好"]],
    ["他说：「走。」然后走了。", ["他说：「走。」", "然后走了。"]],
    ["यह है। वह है।", ["यह है।", "वह है।"]],
    ["Title\n\nA text\nthat goes on. End.", ["Title", "A text\nthat goes on.", "End."]],
    ["- one\n- two\n  more\n3. three", ["- one", "- two\n  more", "3. three"]],
    ["1. Install it. 2 more.", ["1. Install it.", "2 more."]],
    ["  padded.  Next.  ", ["padded.", "Next."]],
    ["", []],
    [" \n ", []],
  ])("splits %j", (text, expected) => {
    expect(split(text)).toEqual(expected);
  });

  it("takes time in proportion to the text, whatever it is made of", () => {
    for (const part of [".", "\n", " ", ". ", "!)", "。", "a. ", "\n \n", "1. ", "- "]) {
      const start = performance.now();
      split(part.repeat(300_000));
      expect(performance.now() - start, JSON.stringify(part)).toBeLessThan(3000);
    }
  });
});
