import type { DocumentKey } from "../contracts/index.ts";

/**
 * Orders keys by source, then id, by Unicode code point: the order that SQLite's binary collation gives UTF-8, so that
 * every state store pages in one order.
 */
export function compareKeys(a: DocumentKey, b: DocumentKey): number {
  return compareCodePoints(a.source, b.source) || compareCodePoints(a.id, b.id);
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above the basic plane, so they rank after all of it. */
function rank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit;
}
