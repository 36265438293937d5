import { isSpace } from "./span.ts";

const clause = new Set(",;:、，；：—".split("").map((character) => character.charCodeAt(0)));

interface Segmenters {
  readonly words: Intl.Segmenter;
  readonly graphemes: Intl.Segmenter;
}

let segmenters: Segmenters | undefined;

/**
 * Where to cut a text that has to be cut within a sentence, row or line: near `target` after a line, a clause or a
 * word, else between graphemes, at worst between code points. More than `start`, less than `end`, unless nothing else
 * is left: one code point.
 */
export function nearBorder(text: string, start: number, target: number, end: number): number {
  const reach = Math.max(1, (target - start) >> 1);
  const low = Math.max(start + 1, target - reach);
  const high = Math.min(end - 1, target + reach);
  const line = nearest(text, low, target, high, (code) => code === 0x0a);
  if (line !== undefined) return line;
  const comma = nearest(text, low, target, high, (code, next) => clause.has(code) && isSpace(next));
  if (comma !== undefined) return comma;
  return nearest(text, low, target, high, isSpace) ?? betweenWords(text, start, target, end);
}

type Test = (code: number, next: number) => boolean;

/** The offset after the unit that passes, nearest to `target`. */
function nearest(
  text: string,
  low: number,
  target: number,
  high: number,
  test: Test,
): number | undefined {
  const passes = (at: number) => test(text.charCodeAt(at - 1), text.charCodeAt(at));
  for (let distance = 0; target - distance >= low || target + distance <= high; distance += 1) {
    const before = target - distance;
    if (before >= low && before <= high && passes(before)) return before;
    const after = target + distance;
    if (after <= high && after >= low && passes(after)) return after;
  }
  return undefined;
}

/** Longer graphemes and words are cut. */
const contextUnits = 256;

function betweenWords(text: string, start: number, target: number, end: number): number {
  segmenters ??= {
    words: new Intl.Segmenter("und", { granularity: "word" }),
    graphemes: new Intl.Segmenter("und", { granularity: "grapheme" }),
  };
  // Enough of the text to see the border, however long the run without one.
  const from = Math.max(start, target - contextUnits);
  const region = text.slice(from, Math.min(end, target + contextUnits));
  const word = from + (segmenters.words.segment(region).containing(target - from)?.index ?? 0);
  if (word - start >= (target - start) / 2 && word > from) return word;
  const grapheme =
    from + (segmenters.graphemes.segment(region).containing(target - from)?.index ?? 0);
  if (grapheme > start && grapheme > from) return grapheme;
  return codePointBorder(text, start, target);
}

function codePointBorder(text: string, start: number, target: number): number {
  const inPair = isLow(text.charCodeAt(target)) && isHigh(text.charCodeAt(target - 1));
  if (!inPair) return target;
  return target - 1 > start ? target - 1 : target + 1;
}

function isHigh(code: number): boolean {
  return code >= 0xd8_00 && code < 0xdc_00;
}

function isLow(code: number): boolean {
  return code >= 0xdc_00 && code < 0xe0_00;
}
