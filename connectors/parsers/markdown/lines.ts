/** The lines of a text, by number, as slices of it. */
export class Lines {
  readonly #text: string;
  /** Offset of every line's start, and one more for the end. */
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
    if (this.#starts.at(-1) !== text.length) this.#starts.push(text.length);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  /** The lines `from` up to, not including, `to`, with their line ends. */
  slice(from: number, to: number): string {
    const end = this.#starts[Math.min(to, this.count)] ?? this.#text.length;
    return this.#text.slice(this.#starts[from] ?? this.#text.length, end);
  }
}

/** Without blank lines before and white space after; the first line keeps its indentation. */
export function trimLines(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
}

/** Removes so many quote marks from every line that has them. */
export function withoutQuoteMarks(text: string, depth: number): string {
  if (depth === 0) return text;
  const marks = new RegExp(`^(?:[ \\t]*> ?){1,${depth}}`, "gm");
  return text.replace(marks, "");
}

/** Removes the indentation that all lines share. */
export function withoutIndentation(text: string): string {
  let shared: string | undefined;
  for (const [indentation] of text.matchAll(/^[ \t]*(?=\S)/gm)) {
    if (shared === undefined || indentation.length < shared.length) shared = indentation;
  }
  if (shared === undefined || shared === "") return text;
  const width = shared.length;
  return text.replace(/^[ \t]+/gm, (indentation) => indentation.slice(width));
}
