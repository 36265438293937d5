/** Scripts that are written without spaces, or whose words change at their ends: compared by pairs of characters. */
const unspaced =
  "\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}";
const run = `[[\\p{L}\\p{M}\\p{N}]&&[${unspaced}]]+`;
const spacedWord = `[[\\p{L}\\p{M}\\p{N}]--[${unspaced}]]+`;
const wordOrRun = new RegExp(`(${run})|${spacedWord}`, "gv");
const plainWord = /[a-z0-9]+/gi;

/** Words are read with their case, as `parseHtmlFile` holds three. A longer one is not a word; its start will do. */
const longestWord = 64;

// oxlint-disable-next-line no-control-regex -- The range of ASCII.
const ascii = /^[\x00-\x7f]*$/;

export interface Word {
  readonly text: string;
  /** Part of a run of characters without spaces. */
  readonly unspaced: boolean;
}

/** Reads the words of a text one by one. Accents are folded: `café` and `cafe` are one word. */
export function* readWords(text: string): Generator<Word, void, undefined> {
  const plain = ascii.test(text);
  const pattern = plain ? plainWord : wordOrRun;
  for (const match of (plain ? text : foldAccents(text)).matchAll(pattern)) {
    const [found, isRun] = match;
    if (isRun === undefined) yield { text: found.slice(0, longestWord), unspaced: false };
    else for (const part of pieces(found)) yield { text: part, unspaced: true };
  }
}

function foldAccents(text: string): string {
  // Composed again, or Hangul syllables would stay apart.
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFKC");
}

/** A run is cut into slices that the caller can remember. */
function* pieces(found: string): Generator<string, void, undefined> {
  const characters = [...found];
  for (let index = 0; index < characters.length; index += 1) {
    const [first = "", second] = characters.slice(index, index + 2);
    yield first;
    if (second !== undefined) yield first + second;
  }
}

/** The parts of a compound name: `parseHtmlFile` gives `parse`, `html`, `file`; a plain word gives none. */
export function nameParts(word: string): readonly string[] {
  const parts = word.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{N}+|\p{Lo}+/gu) ?? [];
  return parts.length > 1 ? parts.map((part) => part.toLowerCase()) : [];
}
