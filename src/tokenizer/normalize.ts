import { forEachRange } from "./character-classes.ts";

/**
 * Code points that take part in normalization in Unicode 17 but not in the older version that the native `tokenizers`
 * 0.23 carries, in the encoding of `character-classes.ts`. To the model they are inert.
 */
const inert =
  "1kt 49.9 16.a 8a fx 72.2 al 1ne q1.v 2.c lm.5 rap iho 8 7 9 1fj.4 1t.5 8t.2 25.2 1.3 " +
  "1y.b 1d.4 6i ju 1y.4 5 2 1.2 12 2 6 2 1.3 4.3 3x re.2 6t 4 2 4.2 4 4c 2b i 29 iw 1.2 29 " +
  "bt.2 d0b.c 5 2er 3.4 hx.2 m8t 4g.7 af 1p.4 e4.4 72.2 6r 2 7.2 5";
interface InertPatterns {
  readonly any: RegExp;
  readonly others: RegExp;
}

let patterns: InertPatterns | undefined;

function inertPatterns(): InertPatterns {
  if (patterns !== undefined) return patterns;
  let members = "";
  forEachRange(inert, (first, length) => {
    members += `\\u{${first.toString(16)}}-\\u{${(first + length - 1).toString(16)}}`;
  });
  patterns = { any: new RegExp(`[${members}]`, "u"), others: new RegExp(`[^${members}]+`, "gu") };
  return patterns;
}

/** NFC as the native tokenizer makes it. Expects well-formed text. */
export function normalize(text: string): string {
  if (isPlain(text)) return text;
  const { any, others } = inertPatterns();
  if (!any.test(text)) return text.normalize("NFC");
  // An inert code point neither composes nor moves, so the text on both of its sides is normalized on its own.
  return text.replace(others, (part) => part.normalize("NFC"));
}

/** Below U+0300 every text is in NFC. */
function isPlain(text: string): boolean {
  for (let position = 0; position < text.length; position += 1) {
    if (text.charCodeAt(position) >= 0x03_00) return false;
  }
  return true;
}

export interface Normalized {
  readonly text: string;
  /** Ascending offsets in the normalized text at which a border has a counterpart in the original … */
  readonly normalizedEnds: Uint32Array;
  /** … and the counterparts. */
  readonly originalEnds: Uint32Array;
}

// Nothing but marks and Hangul vowels and finals composes with what stands before it.
const segments = /[\s\S][\p{M}\u1161-\u1175\u11a8-\u11c2]*/gu;

/** Normalizes a text that is not in NFC and remembers which offsets correspond. */
export function normalizeWithBorders(text: string): Normalized {
  const parts: string[] = [];
  const normalizedEnds: number[] = [];
  const originalEnds: number[] = [];
  let normalizedEnd = 0;
  let originalEnd = 0;
  for (const [segment] of text.matchAll(segments)) {
    const part = normalize(segment);
    parts.push(part);
    normalizedEnd += part.length;
    originalEnd += segment.length;
    normalizedEnds.push(normalizedEnd);
    originalEnds.push(originalEnd);
  }
  return {
    text: parts.join(""),
    normalizedEnds: Uint32Array.from(normalizedEnds),
    originalEnds: Uint32Array.from(originalEnds),
  };
}
