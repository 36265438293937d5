import { type Atom, textHash } from "./atom.ts";
import { nearBorder } from "./near-border.ts";
import { skipSpaces, trimEnd } from "./span.ts";

/**
 * Splits an atom that is larger than a chunk may be into atoms of about `targetTokens`: after lines, clauses or words,
 * else between graphemes. Their tokens are estimates.
 */
export function splitAtom(atom: Atom, targetTokens: number): Atom[] {
  const { text } = atom;
  const tokensPerUnit = atom.tokens / text.length;
  const targetUnits = Math.max(1, Math.floor(targetTokens / tokensPerUnit));
  const parts: Atom[] = [];
  let gapStart = 0;
  for (let start = 0; start < text.length;) {
    const isLast = text.length - start <= targetUnits * 1.5;
    const cut = isLast ? text.length : nearBorder(text, start, start + targetUnits, text.length);
    const end = trimEnd(text, start, cut);
    const partText = text.slice(start, end);
    const tokens = Math.max(1, Math.ceil((end - gapStart) * tokensPerUnit));
    parts.push({
      ...atom,
      text: partText,
      gap: parts.length === 0 ? atom.gap : text.slice(gapStart, start),
      tokens,
      hash: textHash(partText),
      startsBlock: parts.length === 0 && atom.startsBlock,
      startsSection: parts.length === 0 && atom.startsSection,
      isHeader: false,
    });
    gapStart = end;
    start = skipSpaces(text, cut);
  }
  return parts;
}

/** Splits an atom in two, for the case that the estimates were too low; undefined for a single code point. */
export function halve(atom: Atom): Atom[] | undefined {
  const parts = splitAtom(atom, Math.max(1, Math.floor(atom.tokens / 2)));
  if (parts.length > 1) return parts;
  const { text } = atom;
  if (text.length < 2 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xff_ff)) {
    return undefined;
  }
  return splitAtom({ ...atom, tokens: text.length }, Math.floor(text.length / 2) || 1);
}
