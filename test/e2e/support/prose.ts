/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Random = () => number;

/** A whole number from 0 to `below`, that not included. */
export function pick(random: Random, below: number): number {
  return Math.floor(random() * below);
}

const syllables = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu".split(" ");

/** Sentences that no other call makes, for all that is likely. */
export function sentences(random: Random, count: number): string {
  return Array.from({ length: count }, () => {
    const words = Array.from({ length: 6 + pick(random, 9) }, () => word(random));
    const text = words.join(" ");
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  }).join(" ");
}

/** A section of its own: it becomes at least one chunk. */
export function section(random: Random, count = 4): string {
  return `## ${word(random)} ${word(random)}\n\n${sentences(random, count)}\n`;
}

/** A Markdown document of so many sections. */
export function markdown(random: Random, sections: number): string {
  const parts = Array.from({ length: sections }, () => section(random));
  return `# ${word(random)} ${word(random)}\n\n${parts.join("\n")}`;
}

function word(random: Random): string {
  const length = 2 + pick(random, 3);
  return Array.from({ length }, () => syllables[pick(random, syllables.length)] ?? "").join("");
}
