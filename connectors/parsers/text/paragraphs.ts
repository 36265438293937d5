/** A paragraph longer than this many UTF-16 units is given in parts. */
export const paragraphMaxUnits = 256 * 1024;

/** Cuts a stream of text into paragraphs: what stands between blank lines. */
export class Paragraphs {
  #pending = "";
  /** Before this offset `#pending` has no blank line. */
  #searched = 0;

  /** Takes the next piece and gives the paragraphs that it completes. */
  *add(piece: string): Generator<string, void, undefined> {
    this.#pending += piece;
    let start = 0;
    for (;;) {
      // The line end before a blank line may stand at the very end of what was searched.
      blankLine.lastIndex = Math.max(start, this.#searched);
      const match = blankLine.exec(this.#pending);
      if (match === null) break;
      yield* textOf(this.#pending.slice(start, match.index));
      start = match.index + match[0].length;
      this.#searched = start;
    }
    this.#pending = this.#pending.slice(start);
    // A blank line may be cut by the end of the piece: it begins no earlier than at the last line end.
    this.#searched = Math.max(0, this.#pending.trimEnd().length);
    while (this.#pending.length > paragraphMaxUnits) yield* this.#cutLong();
  }

  /** Gives what is left. */
  *end(): Generator<string, void, undefined> {
    yield* textOf(this.#pending);
    this.#pending = "";
    this.#searched = 0;
  }

  *#cutLong(): Generator<string, void, undefined> {
    const at = cutOffset(this.#pending.slice(0, paragraphMaxUnits));
    yield* textOf(this.#pending.slice(0, at));
    this.#pending = this.#pending.slice(at);
    this.#searched = Math.max(0, this.#searched - at);
  }
}

const blankLine = /\n[^\S\n]*\n/g;

/** The paragraph without blank lines before and white space after it; nothing if it has no text. */
function* textOf(text: string): Generator<string, void, undefined> {
  const trimmed = text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  if (trimmed.trim() !== "") yield trimmed;
}

const sentenceEnd = /[.!?…]["'\p{Pf}\p{Pe}]*\s|[。！？]["'\p{Pf}\p{Pe}]*/gu;
const space = /\s/gu;

/** Where to cut a long paragraph: after the last line, sentence or word of its second half, else at its end. */
function cutOffset(text: string): number {
  const half = Math.floor(text.length / 2);
  const tail = text.slice(half);
  const line = tail.lastIndexOf("\n");
  if (line !== -1) return half + line + 1;
  for (const border of [sentenceEnd, space]) {
    let end = 0;
    for (const match of tail.matchAll(border)) end = match.index + match[0].length;
    if (end > 0) return half + end;
  }
  const endsInPair = /[\uD800-\uDBFF]$/.test(text);
  return endsInPair ? text.length - 1 : text.length;
}
