import {
  characterClasses,
  letter,
  lineEnd,
  number,
  other,
  space,
  surrogate,
} from "./character-classes.ts";

/** The regular expression of the Qwen tokenizers that `preTokenEnd` equals, as `tokenizer.json` states it. */
export const qwenPattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
  "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const apostrophe = 0x27;
const blank = 0x20;

/**
 * The end of the pre-token that begins at `start`; the text ends at `end`. The alternatives of the regular expression,
 * in their order: a hand-written scanner is several times faster and does not follow the Unicode version of Node.
 * A lone surrogate counts as U+FFFD, which is what it becomes on the way to the model.
 */
export function preTokenEnd(text: string, start: number, end: number): number {
  const classes = characterClasses();
  const code = text.charCodeAt(start);
  if (code === apostrophe) {
    const contraction = contractionLength(text, start, end);
    if (contraction > 0) return start + contraction;
  }
  const kind = classAt(classes, text, start, end);
  const next = start + width(text, start, end, code);
  if (kind === letter) return runEnd(classes, text, next, end, letter);
  if (kind === number) return next;
  const nextKind = next < end ? classAt(classes, text, next, end) : -1;
  if (kind !== lineEnd && nextKind === letter) return runEnd(classes, text, next, end, letter);
  if (kind === other || (code === blank && nextKind === other)) {
    let position = runEnd(classes, text, next, end, other);
    while (position < end && isLineEnd(text.charCodeAt(position))) position += 1;
    return position;
  }
  return whiteSpaceEnd(classes, text, start, end);
}

/** `\s*[\r\n]+`, else `\s+(?!\S)`, else `\s+`. All white space lies in the basic plane. */
function whiteSpaceEnd(classes: Uint8Array, text: string, start: number, end: number): number {
  let position = start;
  let lastLineEnd = -1;
  for (; position < end; position += 1) {
    const kind = classes[text.charCodeAt(position)];
    if (kind === lineEnd) lastLineEnd = position;
    else if (kind !== space) break;
  }
  if (lastLineEnd >= 0) return lastLineEnd + 1;
  return position < end && position - start > 1 ? position - 1 : position;
}

/**
 * Whether a text cut after the pre-token from `start` to `end` keeps its pre-tokens. The last of several white spaces
 * is kept back for what follows; when that does not take it (a digit after two blanks), the cut text would end in one
 * run of white space.
 */
export function isCutKept(text: string, start: number, end: number): boolean {
  if (end - start !== 1 || start === 0 || end === text.length) return true;
  return !isSpace(text.charCodeAt(start)) || !isSpace(text.charCodeAt(start - 1));
}

function isSpace(code: number): boolean {
  return characterClasses()[code] === space;
}

function runEnd(
  classes: Uint8Array,
  text: string,
  start: number,
  end: number,
  kind: number,
): number {
  let position = start;
  while (position < end) {
    const code = text.charCodeAt(position);
    const unitClass = classes[code];
    if (unitClass === kind) position += 1;
    else if (unitClass === surrogate && classAt(classes, text, position, end) === kind) {
      position += width(text, position, end, code);
    } else break;
  }
  return position;
}

function classAt(classes: Uint8Array, text: string, position: number, end: number): number {
  const code = text.charCodeAt(position);
  const kind = classes[code] ?? other;
  if (kind !== surrogate) return kind;
  if (width(text, position, end, code) === 1) return other;
  return classes[text.codePointAt(position) ?? 0] ?? other;
}

/** UTF-16 units of the code point at `position`, whose first unit is `code`. */
function width(text: string, position: number, end: number, code: number): number {
  if (code < 0xd8_00 || code > 0xdb_ff || position + 1 >= end) return 1;
  const low = text.charCodeAt(position + 1);
  return low >= 0xdc_00 && low <= 0xdf_ff ? 2 : 1;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

/** `(?i:'s|'t|'re|'ve|'m|'ll|'d)`; case folding also finds the long s, U+017F. */
function contractionLength(text: string, start: number, end: number): number {
  if (start + 1 >= end) return 0;
  const first = text.charCodeAt(start + 1);
  if (first === 0x01_7f) return 2;
  const second = start + 2 < end ? text.charCodeAt(start + 2) | 0x20 : 0;
  switch (first | 0x20) {
    case 0x73: // s
    case 0x74: // t
    case 0x6d: // m
    case 0x64: // d
      return 2;
    case 0x72: // re
    case 0x76: // ve
      return second === 0x65 ? 3 : 0;
    case 0x6c: // ll
      return second === 0x6c ? 3 : 0;
    default:
      return 0;
  }
}
