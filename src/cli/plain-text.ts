/**
 * Characters that drive a terminal or change how text around them is shown: C0, DEL and C1 controls, line and paragraph
 * separators, marks and overrides of writing direction, invisible tags, and halves of surrogate pairs.
 */
const unsafe =
  /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** One line that a terminal can show: whatever could drive it, line ends included, becomes a visible escape. */
export function plainLine(text: string): string {
  return text.replaceAll(unsafe, escapeCharacter);
}

/** The lines of a text, each safe to show; tabs stay. */
export function plainLines(text: string): string[] {
  return text.split(/\r\n|\n/).map((line) => line.split("\t").map(plainLine).join("\t"));
}

/** JSON text in which no character drives a terminal; the value stays the same. */
export function plainJson(json: string): string {
  // What JSON itself leaves as it is stands within strings, where an escape means the same.
  return json.replaceAll(unsafe, (character) =>
    character === "\n" ? character : Array.from(character, jsonEscape).join(""),
  );
}

function escapeCharacter(character: string): string {
  const known = { "\n": String.raw`\n`, "\r": String.raw`\r`, "\t": String.raw`\t` }[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return String.raw`\x${code.toString(16).padStart(2, "0")}`;
  return String.raw`\u{${code.toString(16)}}`;
}

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => String.raw`\u${unit.toString(16).padStart(4, "0")}`).join("");
}
