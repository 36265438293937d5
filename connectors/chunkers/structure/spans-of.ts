import type { Block } from "../../../src/contracts/index.ts";
import { nearBorder } from "./near-border.ts";
import { sentences } from "./sentences.ts";
import { isSpace, type Span, trimEnd } from "./span.ts";

/** The parts of a block that are kept whole, in order; everything between them is white space. */
export function* spansOf(block: Block, maxUnits: number): Generator<Span, void, undefined> {
  const spans =
    block.kind === "heading"
      ? wholeText(block.text)
      : block.kind === "code" || block.kind === "table"
        ? lines(block.text, block.kind === "table" ? (block.headerLines ?? 0) : 0)
        : sentences(block.text);
  // A part longer than any chunk is cut here, so that no more than this goes to the tokenizer at once.
  for (const span of spans) yield* limited(block.text, span, maxUnits);
}

function* wholeText(text: string): Generator<Span, void, undefined> {
  const end = trimEnd(text, 0, text.length);
  const start = text.length - text.trimStart().length;
  if (end > start) yield { start, end };
}

/** Lines that are not blank, with their indentation. The first `header` lines make one span. */
function* lines(text: string, header: number): Generator<Span, void, undefined> {
  let headerStart: number | undefined;
  let number = 0;
  for (let start = 0; start < text.length;) {
    const lineEnd = text.indexOf("\n", start);
    const next = lineEnd === -1 ? text.length : lineEnd + 1;
    const end = trimEnd(text, start, next);
    number += 1;
    if (number < header && next < text.length) headerStart ??= start;
    else if (end > start || headerStart !== undefined) {
      const from = headerStart ?? start;
      const to = trimEnd(text, from, next);
      if (to > from) yield { start: from, end: to };
      headerStart = undefined;
    }
    start = next;
  }
}

function* limited(text: string, span: Span, maxUnits: number): Generator<Span, void, undefined> {
  let { start } = span;
  while (span.end - start > maxUnits) {
    const cut = nearBorder(text, start, start + (maxUnits >> 1), span.end);
    const end = trimEnd(text, start, cut);
    if (end > start) yield { start, end };
    start = cut;
    while (start < span.end && isSpace(text.charCodeAt(start))) start += 1;
  }
  if (span.end > start) yield { start, end: span.end };
}
