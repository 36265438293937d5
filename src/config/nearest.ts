import { distance } from "fastest-levenshtein";

/** The candidate that a misspelt word most likely means, if one is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.min(3, Math.floor(word.length / 2)));
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, far: apart(plain(word), plain(candidate)) }))
    .filter(({ far }) => far <= limit)
    .toSorted((a, b) => a.far - b.far);
  return ranked[0]?.candidate;
}

/** `; did you mean \`x\`?`, or nothing when no candidate is near. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? "" : `; did you mean \`${candidate}\`?`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll("-", "_");
}

/** Letters in another order are one mistake (`cvs` for `csv`). */
function apart(word: string, candidate: string): number {
  return word !== candidate && letters(word) === letters(candidate) ? 1 : distance(word, candidate);
}

function letters(text: string): string {
  return [...text].toSorted().join("");
}
