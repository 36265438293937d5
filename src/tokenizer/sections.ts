/** Finds added tokens literally, the longest of those that begin at one place; undefined when there are none. */
export function addedPattern(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const longestFirst = tokens.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(escaped).join("|"), "g");
}

function escaped(token: string): string {
  return token.replaceAll(/[^\p{L}\p{N}_<>\s]/gu, String.raw`\$&`);
}

/** Splits a text at added tokens; calls back in order, never for an empty section. */
export function forEachSection(
  added: RegExp | undefined,
  text: string,
  callback: (start: number, end: number, isAdded: boolean) => void,
): void {
  let start = 0;
  if (added !== undefined) {
    for (const match of text.matchAll(added)) {
      if (match.index > start) callback(start, match.index, false);
      start = match.index + match[0].length;
      callback(match.index, start, true);
    }
  }
  if (start < text.length) callback(start, text.length, false);
}

/** The section at `start` … `end` of a text. */
export function sectionOf(text: string, start: number, end: number): string {
  return start === 0 && end === text.length ? text : text.slice(start, end);
}
