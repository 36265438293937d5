/** A part of a text, in UTF-16 offsets, without white space at its end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Whether a UTF-16 unit is white space as `trim` sees it. All white space lies in the basic plane. */
export function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code === 0xa0 || (code >= 0x16_80 && wideSpaces.has(code));
}

const wideSpaces = new Set([
  0x16_80, 0x20_00, 0x20_01, 0x20_02, 0x20_03, 0x20_04, 0x20_05, 0x20_06, 0x20_07, 0x20_08, 0x20_09,
  0x20_0a, 0x20_28, 0x20_29, 0x20_2f, 0x20_5f, 0x30_00, 0xfe_ff,
]);

/** The offset of the first unit from `position` on that is not white space, or `end`. */
export function skipSpaces(text: string, position: number, end = text.length): number {
  let next = position;
  while (next < end && isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** The span without white space at its end. */
export function trimEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && isSpace(text.charCodeAt(last - 1))) last -= 1;
  return last;
}
