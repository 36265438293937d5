import { markdownParser } from "../../../connectors/parsers/markdown/index.ts";
import { textParser } from "../../../connectors/parsers/text/index.ts";
import type { ParserHarness, ParserSample } from "../../../src/testkit/index.ts";
import { makeComponent } from "./make-component.ts";

const guide = `---
title: The guide
tags: [a, b]
---

# Install sluice

First paragraph with **bold words**, über 日本 🙂.

- item alpha
- item beta
  - item nested

### On Windows

> A quotation
> of two lines.

\`\`\`ts
const answer = 42; // code line

console.log(answer);
\`\`\`

## Use

| name | price |
| ---- | ----- |
| pear | 3     |
| plum | 4     |

1. step one
2. step two

Last paragraph without an end`;

const prose = `First paragraph
of two lines.\r\n\r\nSecond paragraph, über 日本 🙂.

   Third, indented.

The last one`;

const malformedWhy =
  "Any bytes are text in some encoding: what cannot be decoded is replaced, counted and warned of.";

export const markdownHarness: ParserHarness = {
  parser: async (context) => makeComponent(markdownParser, {}, context),
  samples: [
    {
      name: "guide.md",
      mediaType: "text/markdown",
      bytes: bytesOf(guide),
      texts: [
        "Install sluice",
        "First paragraph",
        "日本 🙂",
        "item alpha",
        "item beta",
        "item nested",
        "On Windows",
        "A quotation",
        "of two lines",
        "answer = 42",
        "console.log(answer)",
        "pear",
        "plum",
        "step one",
        "step two",
        "Last paragraph without an end",
      ],
      headings: ["Install sluice", "On Windows", "Use"],
      title: "The guide",
    },
    { ...plain("plain.md", "Only a line."), mediaType: "text/markdown", texts: ["Only a line."] },
    {
      ...plain("setext.md", "Upper\n=====\n\nText one.\n\nLower\n-----\n\nText two.\n"),
      mediaType: "text/markdown",
      texts: ["Upper", "Text one.", "Lower", "Text two."],
      headings: ["Upper", "Lower"],
    },
  ],
  empty: [
    { ...plain("empty.md", ""), mediaType: "text/markdown" },
    { ...plain("blank.md", " \n\n\t\n"), mediaType: "text/markdown" },
    { ...plain("front-matter.md", "---\ntitle: Only this\n---\n"), mediaType: "text/markdown" },
  ],
  notSupported: { malformed: malformedWhy },
};

export const textHarness: ParserHarness = {
  parser: async (context) => makeComponent(textParser, {}, context),
  samples: [
    {
      ...plain("prose.txt", prose),
      texts: ["First paragraph", "of two lines.", "Second", "🙂", "Third", "The last one"],
    },
    { ...plain("line.txt", "Only a line."), texts: ["Only a line."] },
    {
      name: "utf-16.txt",
      mediaType: "text/plain",
      bytes: Buffer.from("\ufeffSechzehn Bit, 日本.\n\nEnde", "utf16le"),
      texts: ["Sechzehn Bit, 日本.", "Ende"],
    },
  ],
  empty: [plain("empty.txt", ""), plain("blank.txt", " \n\r\n\t ")],
  notSupported: { malformed: malformedWhy },
};

function plain(name: string, text: string): Omit<ParserSample, "texts"> {
  return { name, mediaType: "text/plain", bytes: bytesOf(text) };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
