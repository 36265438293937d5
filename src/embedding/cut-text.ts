import type { TokenPieces, Tokenizer } from "../contracts/index.ts";
import { assert } from "../faults/index.ts";

/** A part of a text, and how many tokens it has by itself. */
export interface TextPart {
  readonly text: string;
  readonly tokens: number;
}

/** Sentences between two turns of the event loop. */
const sentencesPerTurn = 1_000;

/**
 * Cuts a text that is too long for a model into parts of at most `maxTokens` tokens: behind a sentence where there is
 * one, else behind a word, else inside it. The parts, joined, are the text; nothing is lost or doubled.
 */
export async function cutText(
  text: string,
  tokenizer: Tokenizer,
  maxTokens: number,
): Promise<readonly TextPart[]> {
  assert(maxTokens >= 1, "A part of a text has room for a token.");
  const [pieces] = await tokenizer.pieces([text]);
  if (pieces === undefined || (pieces.counts.at(-1) ?? 0) <= maxTokens) {
    return [{ text, tokens: pieces?.counts.at(-1) ?? 0 }];
  }
  const parts = await inLine(text, pieces, tokenizer, maxTokens);
  const counts = await tokenizer.countBatch(parts);
  const cut: TextPart[] = [];
  for (const [index, part] of parts.entries()) {
    const tokens = counts[index] ?? 0;
    if (tokens <= maxTokens) cut.push({ text: part, tokens });
    else cut.push(...(await halves(part, tokenizer, maxTokens)));
  }
  return cut;
}

/** Fills one part after the other. */
async function inLine(
  text: string,
  pieces: TokenPieces,
  tokenizer: Tokenizer,
  maxTokens: number,
): Promise<string[]> {
  const { ends, counts } = pieces;
  const sentences = await sentenceEnds(text, ends);
  const parts: string[] = [];
  let first = 0;
  let sentence = 0;
  while (first < ends.length) {
    const used = counts[first - 1] ?? 0;
    let last = first;
    while (last + 1 < ends.length && (counts[last + 1] ?? 0) - used <= maxTokens) last += 1;
    if (last + 1 < ends.length) {
      while ((sentences[sentence + 1] ?? Infinity) <= last) sentence += 1;
      const border = sentences[sentence] ?? -1;
      last = border >= first && border <= last ? border : wordEnd(text, ends, first, last);
    }
    const part = text.slice(ends[first - 1] ?? 0, ends[last]);
    // A single word may be longer than all there is room for.
    if (first === last) parts.push(...(await cutWord(part, tokenizer, maxTokens)));
    else parts.push(part);
    first = last + 1;
  }
  return parts;
}

/** The pieces behind which a sentence ends, ascending: a cut there changes no token. */
async function sentenceEnds(text: string, ends: Uint32Array): Promise<readonly number[]> {
  const found: number[] = [];
  let piece = 0;
  let sentences = 0;
  for (const { index, segment } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(
    text,
  )) {
    const end = index + segment.length;
    // White space behind a sentence belongs to the word after it.
    while ((ends[piece + 1] ?? Infinity) <= end) piece += 1;
    if ((ends[piece] ?? Infinity) <= end && found.at(-1) !== piece) found.push(piece);
    sentences += 1;
    if (sentences % sentencesPerTurn === 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  return found;
}

/** The last piece with white space behind it, not before the middle; the last one in scripts without spaces. */
function wordEnd(text: string, ends: Uint32Array, first: number, last: number): number {
  for (let piece = last; piece > (first + last) / 2; piece -= 1) {
    if (/\s/.test(text.charAt(ends[piece] ?? 0))) return piece;
  }
  return last;
}

async function cutWord(word: string, tokenizer: Tokenizer, maxTokens: number): Promise<string[]> {
  const [tokens = 0] = await tokenizer.countBatch([word]);
  if (tokens <= maxTokens) return [word];
  return (await halves(word, tokenizer, maxTokens)).map(({ text }) => text);
}

/** Halves a text until every part fits. A character of its own that does not is left as it is. */
async function halves(
  text: string,
  tokenizer: Tokenizer,
  maxTokens: number,
): Promise<readonly TextPart[]> {
  const [tokens = 0] = await tokenizer.countBatch([text]);
  const middle = characterBorder(text, Math.ceil(text.length / 2));
  if (tokens <= maxTokens || middle >= text.length) return [{ text, tokens }];
  const left = await halves(text.slice(0, middle), tokenizer, maxTokens);
  const right = await halves(text.slice(middle), tokenizer, maxTokens);
  return [...left, ...right];
}

/** An offset that is not inside a surrogate pair, here or one behind. */
function characterBorder(text: string, offset: number): number {
  const before = text.charCodeAt(offset - 1);
  const after = text.charCodeAt(offset);
  const inside = before >= 0xd8_00 && before < 0xdc_00 && after >= 0xdc_00 && after < 0xe0_00;
  return inside ? offset + 1 : offset;
}
