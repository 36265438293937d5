const words =
  "the a pump valve pressure shaft engine wing flow heat layer boundary speed number shock plate test model theory result method body surface index chunk vector record state source sink of in on for with by from to and or is was are has gives shows takes makes keeps large small thin turbulent laminar steady linear".split(
    " ",
  );

/** A small generator of equal numbers for equal seeds. */
export function random(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export function sentence(next: () => number): string {
  const length = 6 + Math.floor(next() * 22);
  const chosen = Array.from({ length }, () => words[Math.floor(next() * words.length)] ?? "the");
  const text = chosen.join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function sentences(seed: number, count: number): string[] {
  const next = random(seed);
  return Array.from({ length: count }, () => sentence(next));
}
